package e2e

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const theToken = "0123456789abcdef-the-token"

// signed sends a request of MCP with a token, "" for none, and answers the status.
func (g *gateway) signed(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.mcp(), bytes.NewReader([]byte(
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("User-Agent", "agent/1.2")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// refusals takes the complaints about answers with 401, and fails for any other.
func (tb *tab) refusals(t *testing.T) (n int) {
	t.Helper()
	for _, p := range tb.problems(t) {
		if !strings.Contains(p, "401") {
			t.Errorf("the page complained: %s", p)
		}
		n++
	}
	return n
}

// A gateway with a token shows a browser nothing until it is typed once, and from then on
// everything, the playground's calls as well; another token ends that.
func TestPageAsksForTheToken(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false)
	s.toolObject("fine", `{"name":"fine","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}`,
		fixed(`"result":{"content":[{"type":"text","text":"it ran"}]}`))
	g.connect(t, "b", s.url, "http")
	restart := func(token string) { // "" for none
		t.Helper()
		if err := g.terminate(patience); err != nil {
			t.Fatal(err)
		}
		g.env = append(slices.DeleteFunc(g.env, func(kv string) bool { return strings.HasPrefix(kv, "MCP_GW_TOKEN=") }), "MCP_GW_TOKEN="+token)
		g.start(t)
		g.awaitTools(t, token, "b__fine")
	}
	restart(theToken)

	for _, theme := range []string{"dark", "light"} {
		lax := b.open(t, g.url, "#/tools", look{theme: theme, lax: true})
		lax.says(t, "main", `(?s)Sign in.*MCP_GW_TOKEN`)
		lax.axe(t, "signing in, "+theme)
		lax.size(t, 320, 640)
		lax.fits(t, "signing in, "+theme)
		lax.close(t)
	}

	tb := b.open(t, g.url, "#/tools", look{})
	tb.says(t, "main", `(?s)Sign in.*MCP_GW_TOKEN`)
	tb.says(t, "header", `Signed out`)
	if text := tb.see(t, "body"); strings.Contains(text, "b__fine") {
		t.Errorf("somebody unknown is told of a tool: %s", text)
	}
	if n := tb.refusals(t); n != 0 {
		t.Errorf("the page asked for %d things that it knew to be refused", n)
	}
	tb.fill(t, "main >> role=textbox[name=Token]", theToken+"x")
	tb.press(t, "Enter")
	tb.says(t, "role=alert", `the token is not the one that this gateway was started with`)
	if n := tb.refusals(t); n != 1 {
		t.Errorf("%d answers were 401 for one wrong token", n)
	}
	tb.fill(t, "main >> role=textbox[name=Token]", theToken)
	tb.press(t, "Enter")
	tb.says(t, "main", `b__fine`)
	tb.says(t, "header", `Live`)
	if text := evaluate[string](t, tb, `document.cookie + JSON.stringify({...localStorage, ...sessionStorage}) + document.documentElement.outerHTML`); strings.Contains(text, theToken) {
		t.Error("the token is kept where scripts find it")
	}

	tb.goTo(t, "#/playground/b__fine")
	tb.click(t, runButton)
	tb.says(t, "main", `it ran`)

	// What is copied has the token that was typed; who comes without is named.
	tb.goTo(t, "#/connect/claude-code")
	tb.says(t, "main", `(?s)The gateway asks for its token.*Authorization: Bearer ••••••••`)
	for _, client := range []struct {
		token  string
		status int
		says   string
	}{
		{"", 401, `(?s)agent 1\.2 tried but was refused:.*asks for its token.*\(401\)`},
		{theToken + "x", 401, `(?s)refused:.*not the one that this gateway was started with.*\(401\)`},
		{theToken, 200, `(?s)c 1.*connected`},
	} {
		// The page does not count who came before it looked for the first time.
		eventually(t, "the page says "+client.says, func() bool {
			if status := g.signed(t, client.token); status != client.status {
				t.Fatalf("a client with the token %q is answered %d", client.token, status)
			}
			text, _ := tb.try("text", map[string]any{"on": "main", "within": 1000})
			return regexp.MustCompile(client.says).Match(text)
		})
	}

	// The same browser is known when it comes again, and after a restart.
	tb.goTo(t, "?again#/tools")
	tb.says(t, "main", `b__fine`)
	restart(theToken)
	tb.says(t, "header", `Live`)
	tb.problems(t) // of the time without a gateway

	// With another token the stream is not tried for ever, and says why.
	restart(theToken + "-2")
	tb.says(t, "main", `(?s)Sign in.*MCP_GW_TOKEN`)
	tb.says(t, "header", `Signed out`)
	tb.problems(t)
	time.Sleep(3 * time.Second)
	if n := tb.refusals(t); n != 0 {
		t.Errorf("%d requests were made by a page that is signed out", n)
	}
	tb.fill(t, "main >> role=textbox[name=Token]", theToken+"-2")
	tb.click(t, `main >> role=button[name="Sign in"]`)
	tb.says(t, "main", `b__fine`)
	tb.click(t, `role=button[name="Sign out"]`)
	tb.says(t, "main", `(?s)Sign in.*MCP_GW_TOKEN`)
	tb.goTo(t, "?again#/")
	tb.says(t, "main", `(?s)Sign in.*MCP_GW_TOKEN`)
	tb.press(t, "Control+k")
	tb.fill(t, "role=dialog >> role=combobox", "fine")
	tb.says(t, "role=dialog", `Nothing has these words`) // what was known before is not told any more
	tb.press(t, "Escape")
	tb.refusals(t)

	// Nobody has to sign in where no token is asked any more.
	restart("")
	evaluate[bool](t, tb, `dispatchEvent(new Event("focus"))`)
	tb.says(t, "header", `Live`)
	tb.says(t, "main", `\bb\b`)
	tb.problems(t)
	tb.close(t) // before the gateway, which was started after it
}

// awaitTools waits until the gateway, asked with a token, lists a tool, and calls it by
// the API.
func (g *gateway) awaitTools(t *testing.T, token, tool string) {
	t.Helper()
	eventually(t, "a call of "+tool, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/api/tools/"+tool+"/call", strings.NewReader(`{"arguments":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return err == nil && bytes.Contains(text, []byte("it ran"))
	})
}
