package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func serve(t *testing.T, p Page) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := Serve(w, p); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestThePageSaysWhatRuns(t *testing.T) {
	body := serve(t, Page{
		Version: "1.2.3", Origin: "http://gw:3000", Tools: 7,
		Backends: []Backend{{"ha", "connected", "manual", "", 7}, {"gone", "error", "docker", "connection refused", 0}},
		Problems: []string{"Docker is not reachable."},
	}).Body.String()
	for _, want := range []string{
		"1.2.3 · 1 of 2 backends connected · 7 tools", `<th scope="row">ha</th><td class="status connected">connected</td><td>7</td>`,
		"connection refused", "Docker is not reachable.", "claude mcp add --transport http gateway http://gw:3000/mcp", `href="/api/openapi.json"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
}

func TestAnEmptyGatewaySaysWhatToDo(t *testing.T) {
	body := serve(t, Page{Network: "other-net"}).Body.String()
	if !strings.Contains(body, "docker run -d --network other-net --label mcp-gw.port=8080 IMAGE") {
		t.Errorf("no way to begin:\n%s", body)
	}
}

func TestThePageIsClosed(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>"'`
	w := serve(t, Page{Version: evil, Origin: evil, Problems: []string{evil}, Backends: []Backend{{evil, evil, evil, evil, 1}}})
	body := w.Body.String()
	if strings.Contains(body, "<img") || strings.Contains(body, "<script") {
		t.Errorf("what strangers wrote became markup:\n%s", body)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, base64.StdEncoding.EncodeToString(sum[:])) {
		t.Errorf("the policy %s does not allow the style that is sent", csp)
	}
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %s: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is not strict: %s", csp)
	}
	if regexp.MustCompile(`(?i)(src|href)="?https?:`).MatchString(body) {
		t.Error("the page loads from elsewhere")
	}
}
