package e2e

import (
	"fmt"
	"strings"
	"testing"
)

var rowsErrors = []string{
	`"error":{"code":-32602,"message":"no \u2028 <&> \/","data":{"big":9007199254740993,"f":1.0,"a":1,"a":2}}`,
	`"error":{"code":4242,"message":"","data":null,"x-more":[1.0]}`,
	`"error":{"data":"text","message":"data first","code":-1}`,
	`"error":{"code":-32603,"message":"bare"}`, `"error":{"code":-32000,"message":"a server's own","data":[]}`,
	`"error":{"code":-32002,"message":"not found, says a tool","data":{"uri":"x://y"}}`,
	`"error":{"code":-32001,"message":"timed out"}`,
}

func prepareErrors(s *rowsStub) {
	for i, member := range rowsErrors {
		s.tool(fmt.Sprintf("error_%d", i), answers(member))
	}
	s.lists("prompts/list", `{"name":"error"}`)
	s.on("prompts/get error", answers(rowsErrors[0]))
}

func runErrors(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for i, member := range rowsErrors {
			w.check(t, w.call(fmt.Sprintf("error_%d", i), `{}`), member)
		}
		w.check(t, ask{method: "prompts/get", name: w.called("error"), params: `"name":"` + w.called("error") + `"`}, rowsErrors[0])
	})
}

const (
	rowsVisit = `{"mode":"url","elicitationId":"e-1","url":"https://example.com/a?b=1&c=<d>","message":"sign in \u2028 first"}`
	rowsURLs  = `"error":{"code":-32042,"message":"URL elicitation required","data":{"elicitations":[` + rowsVisit + `],"more":1.0}}`
)

func prepareURLs(s *rowsStub) {
	s.tool("urls", answers(rowsURLs))
	visited := make(chan bool, 1) // who was sent to the URLs may come again
	s.tool("urls_once", func(*rowsCall) string {
		select {
		case <-visited:
			return `"result":{"content":[],"n":1.0}`
		default:
			visited <- true
			return rowsURLs
		}
	})
}

// Within an era -32042 is the backend's error as it is. A modern client does not know
// it: it gets the same as input_required if it can visit URLs, and otherwise the error
// that says that it would have to. When it has visited them, it asks again in the way of
// its era, which the backend's does not know.
func runURLs(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		a := w.call("urls", `{}`)
		if !w.client || w.s.modern {
			w.check(t, a, rowsURLs)
			return
		}
		got := w.c.tryCall(t, a)
		if got.status != 400 || string(get(got.final, "error", "code")) != "-32021" || get(got.final, "error", "data", "requiredCapabilities", "elicitation") == nil {
			t.Errorf("a client without elicitation: got %v, want HTTP 400 and -32021", got)
		}
		got = w.c.askEdited(t, a, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{"url":{}}}`)
		if got.status != 200 || str(got.result(), "resultType") != "input_required" {
			t.Fatalf("a client with elicitation: got %v, want input_required", got)
		}
		requests, err := members(get(got.result(), "inputRequests"))
		if err != nil || len(requests) != 1 || str(requests[0].value, "method") != "elicitation/create" {
			t.Fatalf("got %s, want one elicitation/create", got.result())
		}
		sameBytes(t, "params of the question", get(requests[0].value, "params"), []byte(rowsVisit))

		a = w.call("urls_once", `{"n":1.0}`)
		first := w.c.askEdited(t, a, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{"url":{}}}`)
		requests, err = members(get(first.result(), "inputRequests"))
		if err != nil || len(requests) != 1 {
			t.Fatalf("got %v, want one question", first)
		}
		a.params += `,"inputResponses":{"` + requests[0].key + `":{"action":"accept"}}`
		if state := get(first.result(), "requestState"); state != nil {
			a.params += `,"requestState":` + string(state)
		}
		again := w.c.askEdited(t, a, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{"url":{}}}`)
		w.same(t, a, again, `"result":{"content":[],"n":1.0}`)
		seen := get(w.s.last(t, "tools/call", "urls_once"), "params")
		sameBytes(t, "arguments at the backend", get(seen, "arguments"), []byte(`{"n":1.0}`))
		for _, member := range []string{"inputResponses", "requestState"} {
			if got := get(seen, member); got != nil {
				t.Errorf("the backend got %s %s, which its era does not know", member, got)
			}
		}
	})
}

const rowsMissing = `"error":{"code":CODE,"message":"no such \u2028 resource","data":{"uri":"x://y","n":1.0}}`

func prepareMissing(s *rowsStub) {
	for _, code := range []string{"-32002", "-32602"} {
		uri := "gone" + strings.TrimPrefix(code, "-") + "://" + s.name
		s.lists("resources/list", `{"uri":"`+uri+`","name":"g"}`)
		s.on("resources/read "+uri, answers(strings.Replace(rowsMissing, "CODE", code, 1)))
	}
}

// A missing resource is -32002 in the legacy era and -32602 in the modern one. All
// else of the error is the backend's, and within an era the code too.
func runMissing(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for _, code := range []string{"-32002", "-32602"} {
			want := code
			switch {
			case w.client && !w.s.modern:
				want = "-32602"
			case !w.client && w.s.modern:
				want = "-32002"
			}
			w.check(t, read("gone"+strings.TrimPrefix(code, "-")+"://"+w.s.name), strings.Replace(rowsMissing, "CODE", want, 1))
		}
		// What nobody has is missing in the client's own terms, too.
		want := map[bool]string{false: "-32002", true: "-32602"}[w.client]
		if got := w.c.tryCall(t, read("nobody://has/this")); string(get(got.final, "error", "code")) != want {
			t.Errorf("a resource that nobody has: got %v, want %s", got, want)
		}
	})
}

// rowsStatuses are errors with the HTTP status that backends of the modern era give
// them; client is what a modern client gets of a legacy backend's error.
var rowsStatuses = []struct {
	code            string
	backend, client int
	legacy          int
}{
	{"-32601", 404, 404, 404},
	{"-32602", 400, 400, 200},
	{"-32602", 200, 200, 200},
	{"-32021", 400, 400, 400},
	{"-32603", 500, 200, 200},
	{"-32603", 200, 200, 200},
	{"4242", 200, 200, 200},
}

func prepareStatus(s *rowsStub) {
	for i, e := range rowsStatuses {
		s.tool(fmt.Sprintf("status_%d", i), func(c *rowsCall) string {
			if s.modern {
				c.status = e.backend
			}
			return `"error":{"code":` + e.code + `,"message":"e","data":1.0}`
		})
	}
}

// A modern client gets the status that its revision has for a code; a legacy one always
// 200, for it would take a 404 for the end of its session.
func runStatus(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for i, e := range rowsStatuses {
			want := 200
			switch {
			case w.client && w.s.modern:
				want = e.client
			case w.client:
				want = e.legacy
			}
			got := w.check(t, w.call(fmt.Sprintf("status_%d", i), `{}`), `"error":{"code":`+e.code+`,"message":"e","data":1.0}`)
			if got.status != want {
				t.Errorf("code %s, from the backend with HTTP %d: got HTTP %d, want %d", e.code, e.backend, got.status, want)
			}
		}
		// The methods of the other era, and those of nobody.
		method := map[bool]string{false: "server/discover", true: "ping"}[w.client]
		for _, method := range []string{method, "made/up"} {
			got := w.c.tryCall(t, ask{method: method})
			if want := map[bool]int{false: 200, true: 404}[w.client]; got.status != want || string(get(got.final, "error", "code")) != "-32601" {
				t.Errorf("%s: got %v, want HTTP %d and -32601", method, got, want)
			}
		}
	})
}
