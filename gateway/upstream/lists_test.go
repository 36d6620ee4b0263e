package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mcp-gw/gateway/catalog"
)

const (
	onePrompt   = `{"name":"greet", "x":1e400}`
	oneResource = `{"uri":"file:///a","name":"a","size":9007199254740993}`
	oneTemplate = `{"uriTemplate":"file:///{path}","name":"files"}`
)

// fullBackend has one of each kind.
func fullBackend(t *testing.T) *backend {
	b := newBackend(t)
	b.can = `{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"logging":{}}`
	for method, result := range map[string]string{
		"prompts/list":             `{"prompts":[` + onePrompt + `]}`,
		"resources/list":           `{"resources":[` + oneResource + `]}`,
		"resources/templates/list": `{"resourceTemplates":[` + oneTemplate + `]}`,
	} {
		b.handle(method, func(w http.ResponseWriter, q *question) { reply(w, q, result) })
	}
	return b
}

func TestAllKindsAreListed(t *testing.T) {
	b := fullBackend(t)
	s := awaitReady(t, start(t, at(b.URL), quick()))
	if len(s.Tools) != 1 || len(s.Prompts) != 1 || len(s.Resources) != 1 || len(s.Templates) != 1 || len(s.Remarks) > 0 {
		t.Fatalf("offer %+v, remarks %v", s.Offer, s.Remarks)
	}
	for got, want := range map[string]string{string(s.Prompts[0].Raw): onePrompt, string(s.Resources[0].Raw): oneResource, string(s.Templates[0].Raw): oneTemplate} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if !strings.Contains(string(s.Capabilities), `"subscribe":true`) {
		t.Errorf("capabilities %s", s.Capabilities)
	}
}

// A backend is not asked for what it does not announce, but for tools.
func TestUnannouncedKindsAreNotAskedFor(t *testing.T) {
	b := fullBackend(t)
	b.can = `{}`
	s := awaitReady(t, start(t, at(b.URL), quick()))
	if len(s.Tools) != 1 || len(s.Prompts)+len(s.Resources)+len(s.Templates) > 0 {
		t.Errorf("offer %+v", s.Offer)
	}
	for _, method := range []string{"prompts/list", "resources/list", "resources/templates/list"} {
		if n := len(b.asked(method)); n > 0 {
			t.Errorf("%s was asked for %d times", method, n)
		}
	}
}

// Resources without templates are common. Any other list that fails costs none of the
// others, is said, and is asked for again.
func TestFailingListCostsNoOther(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":%ID%,"error":{"code":-32603,"message":"the database is gone"}}`)
		},
		"500":       func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", 500) },
		"no list":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"jsonrpc":"2.0","id":%ID%,"result":{}}`) },
		"no answer": func(w http.ResponseWriter, r *http.Request) { hang(w, &question{Request: r}) },
	} {
		t.Run(name, func(t *testing.T) {
			b := fullBackend(t)
			missing := func(w http.ResponseWriter, q *question) {
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown"}}`, q.id)
			}
			b.handle("resources/templates/list", missing)
			mended := b.on["prompts/list"]
			b.handle("prompts/list", func(w http.ResponseWriter, q *question) { fail(replacing{w, q.id}, q.Request) })
			cfg := quick()
			cfg.ConnectTimeout, cfg.PingInterval = 100*time.Millisecond, 50*time.Millisecond
			u := start(t, at(b.URL), cfg)
			s := awaitReady(t, u)
			if len(s.Tools) != 1 || len(s.Resources) != 1 || len(s.Templates)+len(s.Prompts) > 0 {
				t.Errorf("offer %+v", s.Offer)
			}
			if len(s.Remarks) != 1 || s.Remarks[0].Code != "T001" || !strings.Contains(s.Remarks[0].Message, "the prompts cannot be listed: ") {
				t.Errorf("remarks %+v", s.Remarks)
			}
			b.handle("prompts/list", mended)
			s = awaitState(t, u, "listing prompts at last", func(s *State) bool { return len(s.Prompts) == 1 })
			if len(s.Remarks) > 0 {
				t.Errorf("remarks %+v", s.Remarks)
			}
		})
	}
}

// One bad item costs none of the others, and is named by its kind.
func TestBadItemsAreLeftOutAlone(t *testing.T) {
	b := fullBackend(t)
	b.handle("prompts/list", func(w http.ResponseWriter, q *question) { reply(w, q, `{"prompts":[`+onePrompt+`,{"name":7}]}`) })
	b.handle("resources/list", func(w http.ResponseWriter, q *question) {
		reply(w, q, `{"resources":[{"uri":"relative","name":"r"},`+oneResource+`]}`)
	})
	b.handle("resources/templates/list", func(w http.ResponseWriter, q *question) {
		reply(w, q, `{"resourceTemplates":[`+oneTemplate+`,{}],"nextCursor":"","x":1}`)
	})
	s := awaitReady(t, start(t, at(b.URL), quick()))
	if len(s.Prompts) != 1 || len(s.Resources) != 1 || len(s.Templates) != 2 { // the cursor "" leads to the page again
		t.Errorf("offer %+v", s.Offer)
	}
	want := []string{"T001 prompt 7 is left out", `T001 resource "r" is left out`, "T001 resource template without a name is left out",
		"T001 resource template without", `T002 resources/templates/list repeats the cursor ""`}
	if len(s.Remarks) != len(want) {
		t.Fatalf("remarks %+v", s.Remarks)
	}
	for i, w := range want {
		if r := s.Remarks[i]; !strings.HasPrefix(r.Code+" "+r.Message, w) {
			t.Errorf("remark %d is %s %s, want %s", i, r.Code, r.Message, w)
		}
	}
}

// What a modern backend says on caching is kept, of a legacy one nothing.
func TestHints(t *testing.T) {
	for name, test := range map[string]struct {
		first, second string
		legacy        bool
		want          catalog.Hint
	}{
		"public":          {`"ttlMs":5000,"cacheScope":"public"`, `"ttlMs":3000,"cacheScope":"public"`, false, catalog.Hint{TTL: 3000, Known: true}},
		"one page's":      {`"ttlMs":5000,"cacheScope":"public"`, `"ttlMs":7000,"cacheScope":"private"`, false, catalog.Hint{TTL: 5000, Known: true, Private: true}},
		"nothing":         {`"x":1`, `"ttlMs":7000,"cacheScope":"public"`, false, catalog.Hint{}},
		"nonsense":        {`"ttlMs":-1,"cacheScope":"public"`, `"ttlMs":"5"`, false, catalog.Hint{}},
		"a legacy server": {`"ttlMs":5000,"cacheScope":"public"`, `"ttlMs":5000,"cacheScope":"public"`, true, catalog.Hint{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := fullBackend(t)
			b.modern = !test.legacy
			b.handle("prompts/list", func(w http.ResponseWriter, q *question) {
				if strings.Contains(q.body, "cursor") {
					reply(w, q, `{"prompts":[],`+test.second+`}`)
				} else {
					reply(w, q, `{"prompts":[],"nextCursor":"2",`+test.first+`}`)
				}
			})
			s := awaitReady(t, start(t, at(b.URL), quick()))
			if got := s.Hints[catalog.Prompts]; got != test.want {
				t.Errorf("hint %+v, want %+v", got, test.want)
			}
		})
	}
}

// A change is told by kind, and that kind alone is listed again; what is the same is
// not published.
func TestChangesAreHeardByKind(t *testing.T) {
	b := fullBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	// Opening the stream lists everything once more.
	await(t, "the second listing", func() bool { return len(b.asked("resources/templates/list")) == 2 && len(b.asked("prompts/list")) == 2 })
	tools, templates := len(b.asked("tools/list")), len(b.asked("resources/templates/list"))
	before := u.State()
	b.say(t, "session-1", `data: {"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`)
	await(t, "listing prompts", func() bool { return len(b.asked("prompts/list")) == 3 })
	b.handle("resources/list", func(w http.ResponseWriter, q *question) { reply(w, q, `{"resources":[]}`) })
	b.say(t, "session-1", `data: {"jsonrpc":"2.0","method":"notifications/resources/list_changed"}`)
	awaitState(t, u, "losing the resource", func(s *State) bool { return len(s.Resources) == 0 })
	select {
	case <-before.next:
	default:
		t.Error("nothing was published")
	}
	if next := u.State(); len(next.Prompts) != 1 || len(next.Templates) != 1 {
		t.Errorf("offer %+v", next.Offer)
	}
	if n := len(b.asked("tools/list")) - tools; n > 0 {
		t.Errorf("tools were listed %d times more", n)
	}
	if n := len(b.asked("resources/templates/list")) - templates; n != 1 {
		t.Errorf("templates were listed %d times more, want 1", n)
	}
}

// A backend that says too much is believed: the announcement counts, and the lists stay
// the very same ones.
func TestSameListStays(t *testing.T) {
	b := fullBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	await(t, "the second listing", func() bool { return len(b.asked("resources/templates/list")) == 2 && len(b.asked("prompts/list")) == 2 })
	s := u.State()
	for _, kind := range []string{"tools", "prompts", "resources"} {
		b.say(t, "session-1", `data: {"jsonrpc":"2.0","method":"notifications/`+kind+`/list_changed"}`)
	}
	next := awaitState(t, u, "counting all", func(s *State) bool {
		for _, n := range s.Announced {
			if n == 0 {
				return false
			}
		}
		return true
	})
	if &next.Tools[0] != &s.Tools[0] || &next.Prompts[0] != &s.Prompts[0] || &next.Resources[0] != &s.Resources[0] || &next.Templates[0] != &s.Templates[0] {
		t.Error("an equal list took the place of another")
	}
}

// What is to be said of the connection is said with what is to be said of the lists.
func TestHostRemarkIsPublished(t *testing.T) {
	b := fullBackend(t)
	b.setTools(`[7]`)
	srv := serve(t, &guard{allowed: "localhost", refuse: goRefusal, next: b})
	s := awaitReady(t, start(t, at(srv.URL), quick()))
	if len(s.Remarks) != 2 || s.Remarks[0].Code != "T001" || s.Remarks[1].Code != "H001" {
		t.Errorf("remarks %+v", s.Remarks)
	}
}
