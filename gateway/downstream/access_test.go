package downstream

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"mcp-gw/gateway/auth"
)

func TestAccess(t *testing.T) {
	a := Access{Hosts: []string{"gw.example.com"}, Origins: []string{"https://app.example.com", "null"}}
	const own = "localhost:3000"
	for _, test := range []struct {
		host, origin string
		ok           bool
	}{
		{own, "", true}, {"127.0.0.1:3000", "", true}, {"[::1]:3000", "", true}, {"[fe80::1]", "", true}, {"192.168.1.7", "", true},
		{"mcp-gw:3000", "", true}, {"mcp-gw", "", true}, {"nas.local", "", true}, {"NAS.Local:80", "", true}, {"host.docker.internal:3000", "", true},
		{"a.localhost:3000", "", true}, {"localhost.:3000", "", true}, {"nas.local.", "", true}, {"LOCALHOST", "", true},
		{"gw.example.com", "", true}, {"GW.example.com.:443", "", true},
		{"evil.example.com", "", false}, {"evil.com:3000", "", false}, {"gw.example.com.evil.com", "", false}, {"evillocal.com", "", false},
		{"127.0.0.1.evil.com", "", false}, {"localhost.evil.com", "", false}, {"xgw.example.com", "", false}, {"1.2.3", "", false},

		{own, "http://localhost:3000", true}, {own, "http://localhost:5173", true}, {own, "http://127.0.0.1", true}, {own, "http://[::1]:8080", true},
		{own, "http://LOCALHOST:9", true}, {own, "https://app.localhost", true},
		{own, "https://app.example.com", true}, {own, "null", true},
		{"nas.local:3000", "http://nas.local:3000", true}, {"nas.local:3000", "http://NAS.local:3000", true},
		{own, "https://evil.com", false}, {own, "http://localhost.evil.com", false}, {own, "http://localhost@evil.com", false},
		{own, "https://app.example.com.evil.com", false}, {own, "http://app.example.com", false}, {own, "https://app.example.com:8443", false},
		{own, "", true}, {own, "about:blank", false}, {own, "://", false}, {own, "file://", false}, {own, "http://localhost, http://evil.com", false},
		{"nas.local:3000", "http://nas.local:4000", false}, {"nas.local", "http://other.local", false},
	} {
		r := &http.Request{Host: test.host, Header: http.Header{}}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if err := a.Check(r); (err == nil) != test.ok {
			t.Errorf("host %q, origin %q: %v, want ok %v", test.host, test.origin, err, test.ok)
		}
	}
	// An origin that is there and empty is none of ours.
	if err := a.Check(&http.Request{Host: own, Header: http.Header{"Origin": {""}}}); err == nil {
		t.Error("an empty Origin was taken")
	}
	if err := (Access{}).Check(&http.Request{Host: own, Header: http.Header{"Origin": {"null"}}}); err == nil {
		t.Error("the origin null was taken")
	}
}

// The refusal comes before anything is read or done.
func TestRefusedAccess(t *testing.T) {
	h := start(t, nil)
	for _, verb := range []string{"POST", "GET", "DELETE", "OPTIONS"} {
		for _, header := range [][]string{{"Host", "evil.com"}, {"Origin", "https://evil.com"}} {
			a := h.do(t, verb, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, header...)
			if a.status != http.StatusForbidden || a.header.Get("Mcp-Session-Id") != "" || a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s with %v: %+v", verb, header, a)
			}
		}
	}
	if n := h.sessions.count(); n != 0 {
		t.Errorf("%d sessions were opened", n)
	}
}

// Whoever does not show the token gets nothing and leaves nothing, on every door and in
// every era.
func TestToken(t *testing.T) {
	const secret = "0123456789abcdef"
	h := start(t, func(c *Config) { c.Token = auth.NewToken(secret) })
	hello := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	for _, path := range []string{"/mcp", "/mcp/b", "/sse", "/messages"} {
		for _, verb := range []string{"POST", "GET", "DELETE", "OPTIONS"} {
			for header, challenge := range map[string]string{"-": `Bearer realm="mcp-gw"`, "Bearer other": `Bearer realm="mcp-gw", error="invalid_token"`} {
				a := h.do(t, verb, hello, "Path", path, "Authorization", header)
				if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != challenge ||
					a.header.Get("Mcp-Session-Id") != "" || !strings.Contains(a.body, "MCP_GW_TOKEN") || strings.Contains(a.body, secret) {
					t.Errorf("%s %s with %q: %+v", verb, path, header, a)
				}
			}
		}
	}
	modern := append(modernHeader("tools/list", ""), "Authorization", "-")
	if a := h.post(t, modernCall("1", "tools/list", ""), modern...); a.status != http.StatusUnauthorized {
		t.Errorf("modern: %+v", a)
	}
	clients, refused := h.cfg.Journal.Clients()
	if len(clients) != 0 || h.sessions.count() != 0 {
		t.Errorf("clients %v, %d sessions", clients, h.sessions.count())
	}
	if codes := []string{refused[0].Code, refused[len(refused)-1].Code}; len(refused) != 2 || !slices.Contains(codes, "token_missing") || !slices.Contains(codes, "token_wrong") || refused[0].Status != http.StatusUnauthorized {
		t.Errorf("noted: %+v", refused)
	}
	for _, r := range refused { // what is said must not be taken for a secret
		if strings.Contains(r.Reason, "redacted") {
			t.Errorf("noted: %s", r.Reason)
		}
	}
	// The gateway's own call has come in already, by the API.
	if answer, _ := h.Call(t.Context(), "mcp-gw dashboard", "echo", []byte("{}")); !strings.Contains(string(answer), `"result"`) {
		t.Errorf("a call of the gateway itself: %s", answer)
	}
	a := h.post(t, hello, "Authorization", "Bearer "+secret)
	if a.status != http.StatusOK || a.header.Get("Mcp-Session-Id") == "" {
		t.Errorf("with the token: %+v", a)
	}
	modern[len(modern)-1] = "Bearer " + secret
	if a := h.post(t, modernCall("1", "tools/list", ""), modern...); a.status != http.StatusOK {
		t.Errorf("with the token, modern: %+v", a)
	}
}
