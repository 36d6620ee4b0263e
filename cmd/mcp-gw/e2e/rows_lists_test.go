package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const everyChange = `{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}`

// A backend that announces much makes clients hear little: nothing while nothing has
// changed, once of a change of each kind, and in a storm of changes not more often than
// the backend is asked for its list, which is ten times a second at most.
func runStorms(t *testing.T, st *stage) {
	const quiet = 100 * time.Millisecond
	for _, s := range st.stubs {
		t.Run(s.name+" backend", func(t *testing.T) {
			type listener struct {
				*way
				messages <-chan []byte
			}
			var all []listener
			for _, client := range []bool{false, true} {
				w := &way{st: st, s: s, client: client}
				w.c = w.dial(t)
				all = append(all, listener{w, hears(t.Context(), t, w.c, everyChange)})
			}
			next := func(l listener, kind string) {
				t.Helper()
				message := receive(t, "an announcement for "+eraName(l.client)+" clients", l.messages)
				if got := str(message, "method"); got != "notifications/"+kind+"/list_changed" {
					t.Errorf("%s client: got %s, want that %s changed", eraName(l.client), message, kind)
				}
			}
			still := func(l listener) {
				t.Helper()
				l.c.must(t, ask{method: "tools/list"}) // what was under way is here now
				select {
				case message := <-l.messages:
					t.Errorf("%s client: got %s, for nothing", eraName(l.client), message)
				default:
				}
			}
			before := len(s.requests("tools/list", ""))
			for range 50 {
				for _, kind := range []string{"tools", "prompts", "resources"} {
					if s.changed(kind) == 0 {
						t.Fatalf("nobody listens at the backend for changes of %s", kind)
					}
				}
			}
			eventually(t, "the gateway to list again", func() bool { return len(s.requests("tools/list", "")) > before })
			for _, l := range all {
				still(l)
			}
			for kind, change := range map[string]func(){
				"tools":     func() { s.tool("storm", answers(`"result":{"content":[]}`)) },
				"prompts":   func() { s.lists("prompts/list", `{"name":"storm"}`) },
				"resources": func() { s.lists("resources/list", `{"uri":"storm-`+s.name+`://r","name":"r"}`) },
			} {
				change()
				s.changed(kind)
				for _, l := range all {
					next(l, kind)
					still(l)
				}
			}
			const storm = 40
			begun, listed := time.Now(), len(s.requests("tools/list", ""))
			pace := time.NewTicker(quiet / 10) // or the gateway would see one change
			defer pace.Stop()
			for i := range storm {
				<-pace.C
				s.tool(fmt.Sprintf("storm_%d", i), answers(`"result":{"content":[]}`))
				s.changed("tools")
			}
			for _, l := range all {
				heard := 0
				for last := l.called(fmt.Sprintf("storm_%d", storm-1)); ; {
					next(l, "tools")
					heard++
					// All that was sent by now counts, not only what it took to see the last.
					if len(l.messages) == 0 && l.list(t, "tools/list")[last] != nil {
						break
					}
				}
				if most := 2 + int(time.Since(begun)/quiet); heard > most || heard >= storm {
					t.Errorf("%s client: got %d announcements for %d changes in %v, want %d at most", eraName(l.client), heard, storm, time.Since(begun), most)
				}
			}
			if n, most := len(s.requests("tools/list", ""))-listed, 2+int(time.Since(begun)/quiet); n > most {
				t.Errorf("the backend was asked for its tools %d times in %v, want %d at most", n, time.Since(begun), most)
			}
		})
	}
}

// The gateway walks a backend's pages, whose cursors are the backend's affair, the
// empty one too; its own pages are few and large.
func runPagination(t *testing.T, st *stage) {
	const tools, most = 1100, 1000
	cursors := []string{`""`, `"\u0041\/é \u2028=="`, `"0"`}
	for _, modern := range []bool{false, true} {
		name := "paged-" + eraName(modern)
		s := newRowsStub(t, name, modern)
		s.cursors = cursors
		for i := range tools {
			s.lists("tools/list", fmt.Sprintf(`{"name":"t%d","inputSchema":{"type":"object"}}`, i))
		}
		st.g.connect(t, name, s.url, "http")
		// It may have been listed again meanwhile, from the start.
		walk := append([]string{""}, cursors...)
		for i, r := range s.requests("tools/list", "") {
			if cursor := string(get(r.body, "params", "cursor")); cursor != walk[i%len(walk)] {
				t.Errorf("%s: request %d was for the page %q, want %q", name, i, cursor, walk[i%len(walk)])
			}
		}
		for _, client := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				w := &way{st: st, s: s, client: client, plain: plain}
				w.c = w.dial(t)
				t.Run(eraName(client)+" client, "+eraName(modern)+" backend, /mcp"+w.endpoint(), func(t *testing.T) {
					var got []string
					pages, cursor := 0, `"cursor":""`
					for more := true; more; pages++ {
						list := w.c.must(t, ask{method: "tools/list", params: cursor}).result()
						page := elements(t, get(list, "tools"))
						if len(page) > most {
							t.Errorf("page %d has %d tools, want %d at most", pages, len(page), most)
						}
						for _, tool := range page {
							if name := str(tool, "name"); strings.HasPrefix(name, w.called("t")) {
								got = append(got, name)
							}
						}
						next := get(list, "nextCursor")
						cursor, more = `"cursor":`+string(next), next != nil
					}
					if len(got) != tools || pages < 2 || pages > 3 {
						t.Fatalf("got %d tools in %d pages, want %d in 2 or 3", len(got), pages, tools)
					}
					for i, name := range got {
						if want := w.called("t" + strconv.Itoa(i)); w.plain && name != want {
							t.Fatalf("tool %d is %q, want %q: in the backend's order", i, name, want)
						}
					}
					for _, stale := range []string{`"bogus"`, `"AAAA"`, `5`} {
						a := w.c.tryCall(t, ask{method: "tools/list", params: `"cursor":` + stale})
						if want := map[bool]int{false: 200, true: 400}[client]; a.status != want || string(get(a.final, "error", "code")) != "-32602" {
							t.Errorf("cursor %s: got %v, want HTTP %d and -32602", stale, a, want)
						}
					}
				})
			}
		}
		if status, _, body := st.g.api(t, "DELETE", "/api/backends/"+name, ""); status != 200 {
			t.Fatalf("DELETE %s: got HTTP %d %s", name, status, body)
		}
	}
}

const (
	rowsLegacyTasks = `{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}`
	rowsExtensions  = `{"io.modelcontextprotocol/tasks":{},"com.example/ext":{"n":1.0}}`
)

// rowsInstructions are short in one era and too long for the aggregate in the other.
func rowsInstructions(modern bool) string {
	if modern {
		return strings.Repeat("Ask before you delete. é ", 200)
	}
	return "Search <first> & then \u2028 \"read\"."
}

// rowsSays is what a backend says of itself.
func rowsSays(modern bool) string {
	all := `"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},"completions":{},"logging":{},"experimental":{"x":{"n":1.0}},`
	if modern {
		all += `"extensions":` + rowsExtensions
	} else {
		all += `"tasks":` + rowsLegacyTasks
	}
	return all + `},"instructions":` + string(quoted(rowsInstructions(modern)))
}

// At /mcp all is announced that a backend might ever bring, before there is one; at
// /mcp/<backend> what that backend announces, but for what the client's era has in
// another form.
func runCapabilities(t *testing.T, st *stage) {
	at := func(hello answer) []byte { return get(hello.result(), "capabilities") }
	for _, client := range []bool{false, true} {
		for when, hello := range map[string]answer{"without any backend": st.early[eraName(client)], "with backends": st.clients[" "+eraName(client)].hello} {
			for _, path := range [][]string{{"tools", "listChanged"}, {"prompts", "listChanged"}, {"resources", "listChanged"}, {"resources", "subscribe"}} {
				if string(get(at(hello), path...)) != "true" {
					t.Errorf("%s client, %s: got %s, want %v", eraName(client), when, at(hello), path)
				}
			}
			for _, name := range []string{"completions", "logging"} {
				if string(get(at(hello), name)) != "{}" {
					t.Errorf("%s client, %s: got %s, want %s", eraName(client), when, at(hello), name)
				}
			}
		}
		hello := dial(t, st.g.mcp(), client).hello
		has := map[bool]string{false: "tasks", true: "extensions"}
		sameBytes(t, has[client]+" for "+eraName(client)+" clients", get(at(hello), has[client]), []byte(map[bool]string{false: rowsLegacyTasks, true: rowsExtensions}[client]))
		// Of the other era's, what is no task has a meaning in both.
		if client {
			if got := get(at(hello), "tasks"); got != nil {
				t.Errorf("modern client: got tasks %s, which are of the other era", got)
			}
		} else {
			sameBytes(t, "extensions for legacy clients", get(at(hello), "extensions"), without([]byte(rowsExtensions), "io.modelcontextprotocol/tasks"))
		}
	}
	st.everyWay(t, func(t *testing.T, w *way) {
		if !w.plain {
			return
		}
		want := get([]byte("{"+w.s.says+"}"), "capabilities")
		if w.client != w.s.modern {
			want = without(want, "tasks")
			if ext := get(want, "extensions"); ext != nil {
				want = replace(want, "extensions", string(without(ext, "io.modelcontextprotocol/tasks")))
			}
		}
		got := at(w.c.hello)
		mine, _ := members(want)
		theirs, _ := members(got)
		if len(mine) != len(theirs) {
			t.Errorf("got %s, want %s", got, want)
		}
		for _, m := range mine {
			if m.key == "resources" { // its two members in whatever order
				if string(get(got, "resources", "subscribe")) != "true" || string(get(got, "resources", "listChanged")) != "true" {
					t.Errorf("got %s, want %s", got, want)
				}
				continue
			}
			sameBytes(t, "capability "+m.key, get(got, m.key), m.value)
		}
		info := get(w.c.hello.result(), "serverInfo")
		if w.client {
			info = get(w.c.hello.result(), "_meta", "io.modelcontextprotocol/serverInfo")
		}
		sameBytes(t, "serverInfo", info, []byte(`{"name":"`+w.s.name+`","version":"1"}`))
	})
}

// A backend's instructions are its own at /mcp/<backend>. At /mcp each has a heading and
// a bounded share, for clients cut the whole.
func runInstructions(t *testing.T, st *stage) {
	for _, client := range []bool{false, true} {
		for _, s := range st.stubs {
			w := &way{st: st, s: s, client: client, plain: true}
			if got := str(w.dial(t).hello.result(), "instructions"); got != rowsInstructions(s.modern) {
				t.Errorf("%s client at /mcp/%s: got the instructions %.200q, want the backend's", eraName(client), s.name, got)
			}
		}
		got := str(dial(t, st.g.mcp(), client).hello.result(), "instructions")
		short, long, ok := strings.Cut(got, "\n\n## modern\n")
		if !ok || short != "## legacy\n"+rowsInstructions(false) {
			t.Errorf("%s client at /mcp: got %.300q, want those of both with their names", eraName(client), got)
		}
		long, cut := strings.CutSuffix(long, "…")
		if !cut || len(long) > 2<<10 || len(long) < 1<<10 || !strings.HasPrefix(rowsInstructions(true), long) {
			t.Errorf("%s client at /mcp: got %d bytes of instructions, want the first 2 KiB: %.100q", eraName(client), len(long), long)
		}
		if early := str(st.early[eraName(client)].result(), "instructions"); early != "" {
			t.Errorf("%s client, without any backend: got the instructions %q", eraName(client), early)
		}
	}
}
