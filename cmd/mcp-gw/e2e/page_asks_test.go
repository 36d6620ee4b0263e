package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// asks is a tool that asks its caller in the middle of the call, in the way of the
// stub's era, and answers with what it was told. The questions are the params of
// elicitation/create, put one after the other.
func (s *stub) asks(name string, questions ...string) {
	object := fmt.Sprintf(`{"name":%q,"annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}`, name)
	told := func(answers []string) string {
		return fmt.Sprintf(`"result":{"resultType":"complete","content":[{"type":"text","text":%q}]}`, "it was told "+strings.Join(answers, " and "))
	}
	if s.modern {
		s.toolObject(name, object, func(c *stubCall) string {
			answers := strings.Split(str(c.params, "requestState"), "\n")
			if answers[0] == "" {
				answers = nil
			}
			if answer := get(c.params, "inputResponses", "q"); answer != nil {
				answers = append(answers, string(answer))
			}
			if len(answers) == len(questions) {
				return told(answers)
			}
			return fmt.Sprintf(`"result":{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":%s}},"requestState":%q}`,
				questions[len(answers)], strings.Join(answers, "\n"))
		})
		return
	}
	s.toolObject(name, object, func(c *stubCall) string {
		var answers []string
		for i, question := range questions {
			id := fmt.Sprintf(`"ask-%s-%d"`, c.id, i)
			c.send(`{"jsonrpc":"2.0","id":` + id + `,"method":"elicitation/create","params":` + question + `}`)
			for answer := ""; answer == ""; time.Sleep(10 * time.Millisecond) {
				if c.ctx.Err() != nil {
					return ""
				}
				for _, m := range s.received("") {
					if string(get(m, "id")) == id {
						answer = string(get(m, "result"))
					}
				}
				if answer != "" {
					answers = append(answers, answer)
				}
			}
		}
		return strings.Replace(told(answers), `"resultType":"complete",`, "", 1)
	})
}

// questionPanel is where the page puts what a tool asks.
const questionPanel = `section[aria-label^="Question from"]`

// inBothEras runs a test with the page in each era and each of two backends.
func inBothEras(t *testing.T, backends []string, test func(t *testing.T, era, backend string)) {
	for _, era := range []string{"2026-07-28, stateless", "2025-11-25, session"} {
		for _, backend := range backends {
			t.Run(fmt.Sprintf("page %s, backend %s", era[:10], backend), func(t *testing.T) { test(t, era, backend) })
		}
	}
}

// A tool asks in the middle of its call, and is answered in the page: in both eras of
// the page and of the backend.
func TestPagePlaygroundAToolAsks(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	for name, modern := range map[string]bool{"new": true, "old": false} {
		s := newStub(t, modern, true)
		question := func(word string) string {
			return `{"mode":"form","message":"Which ` + word + `?","requestedSchema":{"type":"object","required":["size"],"properties":{` +
				`"size":{"type":"integer","minimum":1},"colour":{"type":"string","enum":["red","blue"]},"gift":{"type":"boolean"}}}}`
		}
		s.asks("once", question("size"))
		s.asks("twice", question("size"), question("size of the other"))
		g.connect(t, name, s.url, "http")
	}
	inBothEras(t, []string{"new", "old"}, func(t *testing.T, era, backend string) {
		tb := b.open(t, g.url, "#/playground/"+backend+"__twice", look{})
		tb.do(t, "choose", map[string]any{"on": `role=combobox[name="Protocol revision"]`, "text": era})
		tb.click(t, runButton)
		tb.says(t, questionPanel, `(?s)`+backend+` asks.*Which size\?`)
		// What the schema does not allow is not sent.
		tb.click(t, questionPanel+` >> role=button[name="Accept"]`)
		tb.says(t, questionPanel, `(?i)required`)
		tb.fill(t, `role=textbox[name="size"]`, "42")
		tb.do(t, "choose", map[string]any{"on": `role=combobox[name="colour"]`, "text": "blue"})
		tb.click(t, questionPanel+` >> role=button[name="Accept"]`)
		// It asks once more, and that is declined.
		other := fmt.Sprintf(`%s:has-text("of the other")`, questionPanel)
		tb.see(t, other)
		tb.click(t, other+` >> role=button[name="Decline"]`)
		text := tb.says(t, `section[aria-label="Answer"]`, `(?s)You accepted.*You declined.*it was told `)
		for _, want := range []string{`"size":42`, `"colour":"blue"`, `"action":"decline"`} {
			if !strings.Contains(strings.NewReplacer(" ", "", "\n", "").Replace(text), want) {
				t.Errorf("the tool was not told %s:\n%s", want, text)
			}
		}
		if strings.Contains(text, "gift") {
			t.Errorf("what was not touched was sent:\n%s", text)
		}

		// A call that waits for its answer can be given up.
		tb.goTo(t, "#/playground/"+backend+"__once")
		tb.click(t, runButton)
		tb.see(t, questionPanel)
		tb.click(t, `section[aria-label="Arguments"] >> role=button[name="Cancel"]`)
		tb.says(t, `section[aria-label="Answer"]`, `(?i)cancelled`)
	})
}

// A tool sends the person to a page of elsewhere: its whole address and its host are
// shown before anything is opened, nothing but the link opens it, and what is no web
// address has no link. In both eras; of the older one a tool may also refuse until the
// page was visited.
func TestPagePlaygroundAToolSendsElsewhere(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	var visits atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sign-in" {
			visits.Add(1)
		}
		fmt.Fprint(w, "signed in")
	}))
	t.Cleanup(elsewhere.Close)
	host := strings.TrimPrefix(elsewhere.URL, "http://")
	address := elsewhere.URL + "/sign-in?for=" + url.QueryEscape("Zürich & more")
	for name, modern := range map[string]bool{"new": true, "old": false} {
		s := newStub(t, modern, true)
		visit := func(id, to string) string {
			if modern { // it has no such id
				return fmt.Sprintf(`{"mode":"url","url":%q,"message":"Sign in there."}`, to)
			}
			return fmt.Sprintf(`{"mode":"url","elicitationId":%q,"url":%q,"message":"Sign in there."}`, id, to)
		}
		s.asks("visit", visit("e1", address), visit("e2", "javascript:alert(1)"))
		if !modern {
			s.toolObject("gate", `{"name":"gate","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}`, func(*stubCall) string {
				if visits.Load() == 0 {
					return fmt.Sprintf(`"error":{"code":-32042,"message":"sign in first","data":{"elicitations":[%s]}}`, visit("e3", address))
				}
				return `"result":{"content":[{"type":"text","text":"the gate is open"}]}`
			})
		}
		g.connect(t, name, s.url, "http")
	}
	const answer = `section[aria-label="Answer"]`
	run := func(t *testing.T, era, tool string) *tab {
		visits.Store(0)
		tb := b.open(t, g.url, "#/playground/"+tool, look{})
		tb.do(t, "choose", map[string]any{"on": `role=combobox[name="Protocol revision"]`, "text": era})
		tb.click(t, runButton)
		text := tb.says(t, questionPanel, `(?s)asks.*Sign in there\.`)
		for _, want := range []string{address, "This opens " + host + " in a new tab"} {
			if !strings.Contains(text, want) {
				t.Errorf("the question does not say %q:\n%s", want, text)
			}
		}
		if n := visits.Load(); n != 0 {
			t.Errorf("the page was opened %d times before anybody asked for that", n)
		}
		tb.click(t, questionPanel+` >> role=link[name="Open `+host+`"]`)
		eventually(t, "the visit", func() bool { return visits.Load() == 1 })
		return tb
	}
	inBothEras(t, []string{"new", "old"}, func(t *testing.T, era, backend string) {
		tb := run(t, era, backend+"__visit")
		tb.click(t, questionPanel+` >> role=button[name="I have done it"]`)
		other := questionPanel + `:has-text("javascript:")`
		tb.says(t, other, `javascript:alert\(1\)\s+This is not a web address, so there is no link for it`)
		if n := valueOf[int](t, tb.do(t, "count", map[string]any{"on": other + ` >> role=link`})); n != 0 {
			t.Errorf("%d links to what is no web address", n)
		}
		tb.click(t, other+` >> role=button[name="Decline"]`)
		tb.says(t, answer, `(?s)You accepted.*You declined.*it was told \{"action": ?"accept"\} and \{"action": ?"decline"\}`)
	})
	t.Run("refused until then", func(t *testing.T) {
		inBothEras(t, []string{"old"}, func(t *testing.T, era, backend string) {
			tb := run(t, era, backend+"__gate")
			tb.click(t, questionPanel+` >> role=button[name="I have done it"]`)
			tb.says(t, answer, `(?s)You accepted.*the gate is open`)
		})
	})
}
