package api

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func (h *realHouse) try(t *testing.T, body string) (int, tried, string) {
	t.Helper()
	status, text := h.call(t, "POST", "/api/backends/test", body)
	var a tried
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	return status, a, text
}

// A backend is tried by the code that connects it, and nobody hears of it.
func TestABackendIsTried(t *testing.T) {
	h := newRealHouse(t)
	answering := func(status int, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer right" {
				newMCPServer(t).ServeHTTP(w, r)
				return
			}
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	_ = l.Close()
	secret := answering(401, "")
	for name, tt := range map[string]struct {
		body, states, failure, fix string
	}{
		"good":      {`{"url":"` + newMCPServer(t).url + `","transport":"http"}`, "ok ok ok", "", ""},
		"found out": {`{"url":"` + newMCPServer(t).url + `","transport":"auto"}`, "ok ok ok", "", ""},
		"refused":   {`{"url":"` + nobody + `","transport":"http"}`, "failed pending pending", "refused", "start the server"},
		"no name":   {`{"url":"http://no-such-host.invalid/mcp","transport":"http"}`, "failed pending pending", "dns", "a name in url that is known"},
		"a page":    {`{"url":"` + answering(200, "<html>") + `","transport":"http"}`, "ok failed pending", "not_mcp", "something else answers"},
		"elsewhere": {`{"url":"` + answering(404, "") + `","transport":"http"}`, "ok failed pending", "http_status", "the path in url"},
		"closed":    {`{"url":"` + secret + `","transport":"http"}`, "ok failed pending", "auth_required", "set headers.Authorization"},
		"wrong key": {`{"url":"` + secret + `","transport":"http","headers":{"Authorization":"Bearer wrong"}}`, "ok failed pending", "auth_required", "give headers.Authorization another value"},
		"right key": {`{"url":"` + secret + `","transport":"http","headers":{"Authorization":"Bearer right"}}`, "ok ok ok", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, a, text := h.try(t, tt.body)
			var states []string
			for _, s := range a.Steps {
				states = append(states, s.State)
			}
			if status != 200 || strings.Join(states, " ") != tt.states || a.Failure != tt.failure || !strings.Contains(a.Fix, tt.fix) || a.OK != (tt.failure == "") {
				t.Errorf("%d %s", status, text)
			}
			if a.OK && (a.Tools != 3 || a.Transport != "http" || !strings.Contains(string(a.ServerInfo), "stub")) || !a.OK && a.Reason == "" {
				t.Errorf("%s", text)
			}
			if strings.Contains(text, "wrong") {
				t.Errorf("a secret comes back: %s", text)
			}
		})
	}
	if all := h.gw.Backends(); len(all) != 0 {
		t.Errorf("registered: %+v", all)
	}
	if entries := h.gw.Journal().Entries(0); len(entries) != 0 {
		t.Errorf("the log has %+v", entries)
	}
}

// The rules are those of a registration, and a secret that is registered goes nowhere
// else.
func TestWhatIsTriedObeysTheRulesOfRegistrations(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	if status, body := h.call(t, "POST", "/api/backends", `{"name":"a","url":"`+m.url+`","transport":"http","headers":{"X-Key":"s3cr3t"}}`); status != 200 {
		t.Fatal(body)
	}
	for body, want := range map[string]string{
		`{"transport":"http"}`:                                                               "name, url, transport are required",
		`{"url":"http://x"}`:                                                                 "name, url, transport are required",
		`{"url":"http://x","transport":"tcp"}`:                                               "transport must be http or sse",
		`{"url":"file:///etc","transport":"http"}`:                                           "must be absolute, http or https",
		`{"url":"http://x","transport":"http","headers":{"X-Key":"***"}}`:                    "stands for a value that is registered already",
		`{"name":"a","url":"http://evil.test","transport":"http","headers":{"X-Key":"***"}}`: "leads to another host now",
	} {
		status, text := h.call(t, "POST", "/api/backends/test", body)
		if status != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, a, text := h.try(t, `{"name":"a","url":"`+m.url+`","transport":"http","headers":{"X-Key":"***"}}`); status != 200 || !a.OK {
		t.Errorf("%d %s", status, text)
	}
}

func TestOnlySomeAreTriedAtOnce(t *testing.T) {
	h := newHouse(t)
	for range maxTries {
		h.server.tries <- struct{}{}
	}
	h.want(t, "POST", "/api/backends/test", `{"url":"http://x","transport":"http"}`, 503, `{"error":"4 backends are being tried already: wait until one of them has ended"}`)
}
