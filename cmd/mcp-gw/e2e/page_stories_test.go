package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const nestedArguments = `{"filter":{"where":{"city":"Zürich","depth":3}},"tags":["a","b"],"limit":2.5,"exact":true}`

// A call is followed from its row to its arguments, and run again in the playground.
func TestPageStoryACallIsFollowed(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).toolObject("find", `{"name":"find","description":"Finds.","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","properties":{`+
		`"filter":{"type":"object","properties":{"where":{"type":"object","properties":{"city":{"type":"string"},"depth":{"type":"integer"}}}}},`+
		`"tags":{"type":"array","items":{"type":"string"}},"limit":{"type":"number"},"exact":{"type":"boolean"}}}}`,
		fixed(`"result":{"content":[{"type":"text","text":"found it in Zürich"}]}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/traffic", look{})
	tb.heading(t, pages[1])
	dialLegacy(t, g.mcp()).must(t, callTool("b__find", nestedArguments))
	tb.click(t, `main >> role=log >> text=find >> nth=0`)
	tb.click(t, `role=tab[name="Arguments"]`)
	tb.says(t, `role=dialog`, `(?s)Zürich`)
	tb.click(t, `role=tab[name="Result"]`)
	tb.says(t, `role=dialog`, `found it in Zürich`)
	tb.click(t, `role=dialog >> text=/run again/i`)
	tb.heading(t, pages[4])
	tb.click(t, runButton)
	eventually(t, "the call to reach the backend once more", func() bool { return len(s.received("tools/call")) == 2 })
	tb.says(t, "main", `found it in Zürich`)
	calls := s.received("tools/call")
	sameJSON(t, "the arguments of the second run", get(calls[1], "params", "arguments"), nestedArguments)
}

const runButton = `main >> role=button[name=/^Run/]`

// sameJSON compares values and their types, not the space between them.
func sameJSON(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v: %s", what, err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

const (
	secretPassword = "correct-horse-battery"
	secretToken    = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
)

// A secret in the arguments, or in a result, is nowhere in the page, the stream, the
// API and the log.
func TestPageStoryASecretStaysInside(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("login", fixed(`"result":{"content":[{"type":"text","text":"your token is `+secretToken+`"}],"structuredContent":{"session":{"access_token":"`+secretPassword+`"}}}`))
	g.connect(t, "b", s.url, "http")
	stream := listen(t, g.url+"/api/events")
	tb := b.open(t, g.url, "#/traffic", look{})
	tb.heading(t, pages[1])
	dialLegacy(t, g.mcp()).must(t, callTool("b__login", `{"user":"ada","password":"`+secretPassword+`","deep":[{"note":"`+secretToken+`"}]}`))
	tb.click(t, `main >> role=log >> text=login >> nth=0`)
	var seen strings.Builder
	for _, name := range []string{"Summary", "Arguments", "Result", "Timing", "Raw"} {
		tb.click(t, fmt.Sprintf(`role=tab[name=%q]`, name))
		time.Sleep(100 * time.Millisecond)
		seen.WriteString(valueOf[string](t, tb.do(t, "html", nil)))
	}
	if !strings.Contains(seen.String(), "ada") || !strings.Contains(seen.String(), "redacted") {
		t.Errorf("the drawer shows no arguments, or does not say that something is redacted:\n%.3000s", tb.see(t, "role=dialog"))
	}
	said := map[string]string{"the page": seen.String(), "the log": g.output()}
	for _, path := range []string{"/api/calls?protocol=true", "/api/logs", "/api/overview", "/api/changes", "/api/stats?range=15m", "/api/clients", "/metrics"} {
		said[path] = body(t, g.url+path)
	}
	for _, c := range elements(t, get([]byte(said["/api/calls?protocol=true"]), "calls")) {
		path := "/api/calls/" + string(get(c, "id"))
		said[path] = body(t, g.url+path)
	}
	eventually(t, "the stream to tell of the call", func() bool { return strings.Contains(stream(), "b__login") })
	said["the stream"] = stream()
	for where, text := range said {
		for _, secret := range []string{secretPassword, secretToken} {
			if strings.Contains(text, secret) {
				i := strings.Index(text, secret)
				t.Errorf("%s shows %s: …%s", where, secret, text[max(0, i-200):i])
			}
		}
	}
}

// listen reads a stream until the test ends, and returns what it has read so far.
func listen(t *testing.T, url string) func() string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: HTTP %d", url, resp.StatusCode)
	}
	var mu sync.Mutex // guards read
	var read strings.Builder
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 32<<10)
		for {
			n, err := resp.Body.Read(buf)
			mu.Lock()
			read.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		resp.Body.Close()
		<-ended
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return read.String()
	}
}

// The gateway is killed and comes back: the page says so, recovers by itself, and its
// traffic has a row for what it has missed.
func TestPageStoryTheGatewayComesBack(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[{"type":"text","text":"ok"}]}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/traffic", look{})
	tb.heading(t, pages[1])
	dialLegacy(t, g.mcp()).must(t, callTool("b__fine", `{}`))
	tb.says(t, "main", `fine`)
	tb.says(t, "body", `(?i)\blive\b`)
	g.kill()
	tb.says(t, "body", `(?i)reconnecting`)
	g.start(t)
	g.awaitStatus(t, "b", "connected")
	dialLegacy(t, g.mcp()).must(t, callTool("b__fine", `{"again":true}`))
	tb.says(t, "body", `(?i)\blive\b`)
	tb.says(t, "main", `(?is)fine.*(not received|missed|restarted|disconnected).*fine`)
	// What a browser writes about a server that is away is not the page's fault.
	for _, p := range tb.problems(t) {
		if !strings.Contains(p, "ERR_CONNECTION_REFUSED") && !strings.Contains(p, "ERR_INCOMPLETE_CHUNKED_ENCODING") && !strings.Contains(p, "ERR_CONNECTION_RESET") {
			t.Errorf("the page complained: %s", p)
		}
	}
	tb.close(t) // before the gateway ends for good
}

// Claude Code connects, and the page that waits for it turns green.
func TestPageStoryClaudeCodeConnects(t *testing.T) {
	b := sharedBrowser(t)
	claude := filepath.Join(nodePeers(t), "node_modules", "@anthropic-ai", "claude-code", "cli-wrapper.cjs")
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/connect", look{})
	tb.says(t, "main", `(?i)waiting for a client`)
	tb.says(t, "main", `claude mcp add --transport http`)
	home := t.TempDir()
	for _, args := range [][]string{{"mcp", "add", "--transport", "http", "gw", g.mcp()}, {"mcp", "list"}} {
		cmd := exec.CommandContext(t.Context(), "node", append([]string{claude}, args...)...)
		cmd.Dir = home
		cmd.Env = append(inherited(), "HOME="+home, "CLAUDE_CONFIG_DIR="+filepath.Join(home, ".claude"),
			"DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1")
		cmd.WaitDelay = time.Second
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("claude %q: %v\n%s", args, err, text)
		}
	}
	tb.says(t, "main", `(?is)Claude Code.*connected`)
	// And one that may not in: a page of elsewhere, which is refused with a reason.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.mcp(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "https://elsewhere.example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	tb.says(t, "main", `(?is)refused.*elsewhere\.example`)
}
