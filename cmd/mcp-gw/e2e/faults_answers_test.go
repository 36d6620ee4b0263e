package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Backends that lie in their answers: the client gets one answer, and it is the first
// that is one.
func TestBackendsThatLie(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_CALL_TIMEOUT=3s")
	const good = `{"content":[{"type":"text","text":"good"}],"resultType":"complete"}`
	stream := func(events ...string) func(http.ResponseWriter, []byte) {
		return func(w http.ResponseWriter, id []byte) {
			openStream(w)
			for _, e := range events {
				writeEvent(w, strings.ReplaceAll(strings.ReplaceAll(e, "ID", string(id)), "GOOD", good))
			}
		}
	}
	const answer, second = `{"jsonrpc":"2.0","id":ID,"result":GOOD}`, `{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"second"}]}}`
	lies := map[string]func(http.ResponseWriter, []byte){
		"twice":           stream(answer, second),
		"many_times":      stream(append([]string{answer}, slicesOf(second, 5000)...)...),
		"other_id":        stream(`{"jsonrpc":"2.0","id":12345678,"result":{"content":[]}}`, answer),
		"no_id":           stream(`{"jsonrpc":"2.0","id":null,"result":{"content":[]}}`, answer),
		"others_progress": stream(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":424242,"progress":1}}`, answer),
		"cancels_us":      stream(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":ID}}`, answer),
		"not_an_object":   stream(`"hello"`, `42`, `[]`, answer),
		"trickle": func(w http.ResponseWriter, id []byte) {
			openStream(w)
			for _, b := range []byte("data: " + strings.ReplaceAll(strings.ReplaceAll(answer, "ID", string(id)), "GOOD", good) + "\n\n") {
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
			}
		},
		"early_and_long": func(w http.ResponseWriter, id []byte) { // goes on after the answer
			openStream(w)
			writeEvent(w, strings.ReplaceAll(strings.ReplaceAll(answer, "ID", string(id)), "GOOD", good))
			for range 200 {
				if _, err := fmt.Fprint(w, ": and on\n\n"); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond) // is what it does
			}
		},
	}
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, false)
		s.raw = lies
		for tool := range lies {
			s.tool(tool, nil)
		}
		g.connect(t, eraName(modern), s.url, "http")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			for tool := range lies {
				a := callTool(eraName(modern)+"__"+tool, `{}`)
				a.meta = `"progressToken":"mine"`
				start := time.Now()
				got, err := c.try(t.Context(), a)
				if err != nil || len(elements(t, get(got.result(), "content"))) != 1 || str(elements(t, get(got.result(), "content"))[0], "text") != "good" {
					t.Errorf("%s client, %s backend, %s: %v %.300v, want the good answer", eraName(client), eraName(modern), tool, err, got)
				}
				if len(got.before) > 0 {
					t.Errorf("%s client, %s backend, %s: got %s as well", eraName(client), eraName(modern), tool, got.before)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("%s client, %s backend, %s: took %v", eraName(client), eraName(modern), tool, took)
				}
			}
		}
	}
}

func slicesOf(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

// A hostile element of a list costs that element alone, and is named in the state of
// its backend.
func TestHostileElementsAreNamed(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	healthy := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
	g.connect(t, "healthy", healthy.url, "http")
	loop := startLoop(t, g, "healthy__fine")
	deep := strings.Repeat(`{"properties":{"a":`, 3000) + `{}` + strings.Repeat(`}}`, 3000)
	for _, kind := range choirKinds {
		c := newChoir(t, kind)
		c.lists = map[string]string{
			"tools":             choirTool + `,{"name":"hostile-1","inputSchema":"no"},{"name":"","inputSchema":{"type":"object"}},{"name":"deep","inputSchema":` + deep + `}`,
			"prompts":           `{"name":"good"},{"name":"hostile-2","arguments":7}`,
			"resources":         `{"uri":"` + c.note() + `","name":"note"},{"uri":["hostile-3"],"name":"x"}`,
			"resourceTemplates": `{"uriTemplate":"` + c.note() + `/{x}","name":"t"},{"uriTemplate":{},"name":"hostile-4"}`,
		}
		g.connect(t, kind, c.url(), c.transport())
		_, _, diagnostics := g.api(t, http.MethodGet, "/api/backends", "")
		for _, name := range []string{"hostile-1", "hostile-2", "hostile-3", "hostile-4"} {
			found := false
			for _, d := range elements(t, get(g.backend(t, kind), "diagnostics")) {
				found = found || strings.Contains(str(d, "message"), name) && str(d, "code") == "T001"
			}
			if !found {
				t.Errorf("%s: no diagnostic names %s: %.2000s", kind, name, diagnostics)
			}
		}
		s := joinSinger(t, g.mcp(), "h"+kind, false)
		if m, err := s.sing(within(t, patience), verse{tool: kind + "__sing", part: part{Mark: s.name + "-1", Nonce: s.name}}); err != nil || m.text() != "" {
			t.Errorf("%s: a call of the good tool: %v %.300s", kind, err, raw(m))
		}
		client := dialLegacy(t, g.mcp())
		for method, kindOf := range map[string]string{"prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates"} {
			got := client.must(t, ask{method: method})
			if strings.Contains(string(got.final), "hostile") || len(elements(t, get(got.result(), kindOf))) == 0 {
				t.Errorf("%s: %s: %.500s", kind, method, got.final)
			}
		}
	}
	loop.stop(t)
}
