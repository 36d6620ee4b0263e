package api

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-gw/gateway/auth"
)

const secret = "0123456789abcdef-the-token"

func withToken(c *Config) { c.Token = auth.NewToken(secret) }

// ask sends a request with a body of JSON and headers, and holds the answer against the
// description.
func (h *house) ask(t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:3000"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	answered(t, r, w.Result(), w.Body.Bytes())
	return w.Result()
}

// Nothing but what is listed here is told to somebody without the token, whatever
// routes there will be.
func TestEveryRouteAsksForTheToken(t *testing.T) {
	h := newHouse(t, withToken, func(c *Config) { c.Page = aPage(t) })
	free := map[string]bool{
		"/": true, "/assets/app-1a2b3c.js": true, "/favicon.svg": true, // the page has no secret
		"/healthz": true, "/readyz": true, // probes have no token
		"/api/session":   true,                    // where it is shown
		"/.well-known/*": true, "/register": true, // there is nothing, for anybody
	}
	asked := 0
	for _, route := range h.server.routes().Routes() {
		if isMCP(route.Path) || route.Method == "echo_route_not_found" {
			continue // MCP guards itself
		}
		path := strings.NewReplacer(":name", "x", ":id", "x").Replace(route.Path)
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, httptest.NewRequest(route.Method, path, strings.NewReader("{}")))
		answer := w.Result()
		if refused := answer.StatusCode == http.StatusUnauthorized && answer.Header.Get("WWW-Authenticate") != ""; refused == free[route.Path] &&
			!(route.Method == http.MethodPost && route.Path == "/api/session") {
			t.Errorf("%s %s answers %d", route.Method, route.Path, answer.StatusCode)
		} else if refused {
			asked++
		}
	}
	if asked < 25 {
		t.Errorf("only %d routes ask for it", asked)
	}
	for _, path := range []string{"/api/health", "/metrics", "/api/openapi.json"} {
		if got := h.ask(t, "GET", path, "", "Authorization", "Bearer "+secret).StatusCode; got != 200 {
			t.Errorf("GET %s with the token answers %d", path, got)
		}
	}
	for _, path := range []string{"/register", "/.well-known/oauth-protected-resource/mcp"} {
		h.want(t, "POST", path, "{}", 404, `{"error":"there is no OAuth here: this gateway asks for its token, the value of MCP_GW_TOKEN, as a bearer token in the header Authorization"}`)
	}
	h.want(t, "GET", "/api/health", "", 401, `{"error":"this gateway asks for its token, the value of MCP_GW_TOKEN, as a bearer token in the header Authorization"}`)
}

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		name, origin string
		secure       bool
	}{
		{"as it listens", "http://localhost:3000", false},
		{"a program", "", false},
		{"behind TLS", "https://tools.example.com", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, withToken, func(c *Config) { c.ReadOnly = true })
			header := []string{"Origin", tt.origin}
			if tt.origin == "" {
				header = nil
			}
			answer := h.ask(t, "POST", "/api/session", `{"token":"`+secret+` "}`, header...)
			cookies := answer.Cookies()
			var body signInAnswer
			if err := json.Unmarshal([]byte(all(t, answer.Body)), &body); err != nil || answer.StatusCode != 200 || len(cookies) != 1 {
				t.Fatalf("%d, cookies %v, %v", answer.StatusCode, cookies, err)
			}
			c := cookies[0]
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure != tt.secure || strings.Contains(c.Raw+body.Key, secret) {
				t.Errorf("cookie %s, key %s", c.Raw, body.Key)
			}
			cookie := []string{"Cookie", c.Name + "=" + c.Value}
			both := append(cookie[:2:2], auth.HeaderKey, body.Key)
			if got := all(t, h.ask(t, "GET", "/api/session", "", both...).Body); got != `{"required":true,"signedIn":true}`+"\n" {
				t.Errorf("the page is told %s", got)
			}
			if got := all(t, h.ask(t, "GET", "/api/session", "", cookie...).Body); got != `{"required":true,"signedIn":false}`+"\n" {
				t.Errorf("who has the cookie alone is told %s", got)
			}
			if got := h.ask(t, "GET", "/api/health?key="+body.Key, "", cookie...).StatusCode; got != 200 {
				t.Errorf("with the key in the address the API answers %d", got)
			}
			out := h.ask(t, "DELETE", "/api/session", "", append(header, headerDeliberate, "1")...).Cookies()
			if len(out) == 0 || out[len(out)-1].Name != c.Name || out[0].MaxAge >= 0 {
				t.Errorf("signing out sets %v", out)
			}
		})
	}
}

func TestSignInRefused(t *testing.T) {
	h := newHouse(t, withToken)
	for body, want := range map[string]int{
		`{"token":"` + secret + `x"}`: 401, `{"token":""}`: 401, `{}`: 401, `{"token":3}`: 400, `x`: 400,
	} {
		if answer := h.ask(t, "POST", "/api/session", body); answer.StatusCode != want || len(answer.Cookies()) > 0 {
			t.Errorf("%s answers %d with cookies %v", body, answer.StatusCode, answer.Cookies())
		}
	}
	for range 100 {
		h.ask(t, "POST", "/api/session", `{"token":"guessed"}`)
	}
	_, log := h.call(t, "GET", "/api/logs", "")
	if log != "" && strings.Contains(log, "guessed") {
		t.Error("what was tried is in the log")
	}
	r := h.ask(t, "GET", "/api/logs", "", "Authorization", "Bearer "+secret)
	if n := strings.Count(all(t, r.Body), "tried to sign in with a wrong token"); n < 1 || n > 10 {
		t.Errorf("%d entries of the log tell of 100 attempts", n)
	}
}

func TestSignInWhereNoTokenIsAsked(t *testing.T) {
	h := newHouse(t)
	h.want(t, "GET", "/api/session", "", 200, `{"required":false,"signedIn":true}`)
	h.want(t, "POST", "/api/session", `{"token":"x"}`, 404, `{"error":"this gateway asks for no token; MCP_GW_TOKEN sets one"}`)
	if got := h.ask(t, "DELETE", "/api/session", ""); got.StatusCode != 204 || len(got.Cookies()) > 0 {
		t.Errorf("signing out answers %d with %v", got.StatusCode, got.Cookies())
	}
}

func TestThePageIsToldThatATokenIsAsked(t *testing.T) {
	for want, change := range map[string]func(*Config){`"auth":true`: withToken, `"auth":false`: func(*Config) {}} {
		h := newHouse(t, change)
		h.tell(t)
		page := listen(t, t.Context(), h.live(t).URL+"/api/events", "Authorization", "Bearer "+secret)
		if first, err := page.next(); err != nil || !strings.Contains(first.data, want) {
			t.Errorf("%v: %+v", err, first)
		}
	}
}

// Who begins to sign in and does not go on is not waited for; an answer that takes longer
// than a body may is.
func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	h := newHouse(t, withToken, func(c *Config) {
		c.Discovery = &fakeDiscovery{rescan: func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(500 * time.Millisecond):
				return nil
			}
		}}
	})
	h.server.patience = 200 * time.Millisecond
	live := h.live(t)
	conn, err := net.Dial("tcp", live.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(text), "408 Request Timeout") {
		t.Errorf("%v: %s", err, text)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, live.URL+"/api/discovery/rescan", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("what takes longer is answered %d %s", resp.StatusCode, all(t, resp.Body))
	}
	if got := h.ask(t, "POST", "/api/session", `{"token":"`+strings.Repeat("x", 20_000)+`"}`).StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Errorf("a token of 20 kB is answered %d", got)
	}
}
