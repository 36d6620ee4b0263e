package e2e

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// toolsSeen are the names of the tools that a client sees, sorted.
func toolsSeen(t *testing.T, c *rawClient) string {
	t.Helper()
	return strings.Join(slices.Sorted(maps.Keys(c.tools(t))), " ")
}

// patch switches something, and wants that to succeed.
func (g *gateway) patch(t *testing.T, path, body string) []byte {
	t.Helper()
	status, _, answer := g.api(t, http.MethodPatch, path, body)
	if status != http.StatusOK {
		t.Fatalf("PATCH %s %s: got HTTP %d %s", path, body, status, answer)
	}
	return answer
}

// What people switch off is gone for every client at every endpoint, and stays so when
// the gateway is killed, when its process starts anew, and when a backend is registered
// again; clients hear of a batch once.
func TestSwitchesSurviveTheGateway(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	board := filepath.Join(filepath.Dir(g.config), "switches.json")
	stubs := map[string]*stub{}
	for name, modern := range map[string]bool{"old": false, "new": true} {
		s := newStub(t, modern, false)
		for _, tool := range []string{"keep", "gone", "also"} {
			s.tool(tool, fixed(`"result":{"content":[]}`))
		}
		stubs[name] = s
		g.connect(t, name, s.url, "http")
	}
	const all = "new__also new__gone new__keep old__also old__gone old__keep"
	clients := []*rawClient{dialLegacy(t, g.mcp()), dialModern(t, g.mcp())}
	var streams []<-chan []byte
	for _, c := range clients {
		if got := toolsSeen(t, c); got != all {
			t.Fatalf("before: %s", got)
		}
		stream, _ := c.listen(t)
		streams = append(streams, stream)
	}
	for _, stream := range streams { // until all that there is to tell of the connecting has been told
		for quiet := false; !quiet; {
			select {
			case <-stream:
			case <-time.After(time.Second):
				quiet = true
			}
		}
	}

	g.patch(t, "/api/tools", `{"names":["new__gone","old__gone","old__also"],"enabled":false}`)
	const left = "new__also new__keep old__keep"
	off := func(when string, c *rawClient, left string) {
		t.Helper()
		if got := toolsSeen(t, c); got != left {
			t.Errorf("%s, %s client: listed are %s", when, eraName(c.modern), got)
		}
		got, err := c.try(t.Context(), callTool("old__gone", `{}`))
		if err != nil || !bytes.Contains(got.final, []byte(`Tool \"old__gone\" is switched off in the gateway`)) {
			t.Errorf("%s, %s client: the call answers %s, %v", when, eraName(c.modern), got.final, err)
		}
	}
	for i, c := range clients {
		off("switched off", c, left)
		time.Sleep(2 * time.Second)
		told := 0
		for len(streams[i]) > 0 {
			if message := <-streams[i]; str(message, "method") == "notifications/tools/list_changed" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("the %s client was told %d times", eraName(c.modern), told)
		}
	}
	alone := dialModern(t, g.mcp()+"/old")
	if got := toolsSeen(t, alone); got != "keep" {
		t.Errorf("at its own endpoint: %s", got)
	}
	if got, err := alone.try(t.Context(), callTool("gone", `{}`)); err != nil || !bytes.Contains(got.final, []byte("is switched off")) {
		t.Errorf("at its own endpoint: %s, %v", got.final, err)
	}
	if ran := stubs["old"].received("tools/call"); len(ran) != 0 {
		t.Errorf("the backend was called: %s", ran)
	}

	if got := g.patch(t, "/api/backends/new", `{"enabled":false}`); str(got, "backend", "health") != "disabled" || str(got, "savedIn") != g.config {
		t.Errorf("switching a backend off: %.300s", got)
	}
	for _, c := range clients {
		if got, err := c.try(t.Context(), callTool("new__keep", `{}`)); err != nil || !bytes.Contains(got.final, []byte("it is switched off")) {
			t.Errorf("a call of a backend that is off: %s, %v", got.final, err)
		}
	}

	heard := func() int {
		return len(stubs["new"].received("server/discover")) + len(stubs["new"].received("initialize"))
	}
	before := heard()
	g.kill()
	g.start(t)
	fresh := dialModern(t, g.mcp())
	off("killed and started", fresh, "old__keep")
	off("killed and started", clients[0], "old__keep")
	// The registration comes anew, and its tools stay off.
	g.register(t, "old", stubs["old"].url, "http")
	g.awaitStatus(t, "old", "connected")
	off("registered again", fresh, "old__keep")
	if n := heard(); n != before {
		t.Errorf("the backend that is off was connected %d times", n-before)
	}

	// Somebody mends the file by hand, and somebody breaks it.
	write := func(text string) {
		if err := os.WriteFile(board, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"why":"too dangerous","disabledTools":{"old":["gone"]}}`)
	eventually(t, "the change by hand", func() bool { return toolsSeen(t, fresh) == "old__also old__keep" })
	g.patch(t, "/api/tools/old__also", `{"enabled":false}`)
	if text, err := os.ReadFile(board); err != nil || !bytes.Contains(text, []byte("too dangerous")) {
		t.Errorf("the file has become %s, %v", text, err)
	}
	const broken = `{"disabledTools":`
	write(broken)
	eventually(t, "the problem", func() bool {
		_, _, body := g.api(t, http.MethodGet, "/api/overview", "")
		return bytes.Contains(body, []byte("switches.json cannot be used"))
	})
	off("a broken file", fresh, "old__keep")
	g.patch(t, "/api/tools/old__also", `{"enabled":true}`)
	if kept, _ := filepath.Glob(board + ".broken-*"); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	if _, _, body := g.api(t, http.MethodGet, "/api/changes", ""); !bytes.Contains(body, []byte(`"old: switched off: also"`)) {
		t.Errorf("the changes lack it: %s", body)
	}

	// One that is broken when the gateway starts shows nobody anything.
	write(broken)
	g.kill()
	g.start(t)
	fresh = dialModern(t, g.mcp())
	if got := toolsSeen(t, fresh); got != "" {
		t.Errorf("started with a broken file: listed are %s", got)
	}
	if _, _, body := g.api(t, http.MethodGet, "/api/overview", ""); !bytes.Contains(body, []byte("every backend is switched off")) {
		t.Errorf("started with a broken file, the overview says %.600s", body)
	}
	if status, _, answer := g.api(t, http.MethodPatch, "/api/backends/old", `{"enabled":true}`); status != http.StatusBadRequest || !bytes.Contains(answer, []byte("mend it, or remove it")) {
		t.Errorf("switching a backend on over a broken file: HTTP %d %s", status, answer)
	}
	write(`{"disabledTools":{"old":["gone"]},"disabledBackends":["new"]}`)
	eventually(t, "the mended file", func() bool { return toolsSeen(t, fresh) == "old__also old__keep" })
	g.patch(t, "/api/tools", `{"names":["old__gone"],"enabled":true}`)
	g.patch(t, "/api/backends/new", `{"enabled":true}`)
	eventually(t, "everything to be back", func() bool { return toolsSeen(t, fresh) == all })
	for name := range maps.Keys(fresh.tools(t)) {
		fresh.must(t, callTool(name, `{}`))
	}
	_, _, body := g.api(t, http.MethodGet, "/api/changes", "")
	if !bytes.Contains(body, []byte(`"old: switched on: gone"`)) {
		t.Errorf("the changes lack it: %s", body)
	}
}
