package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gateway is a running mcp-gw with its own folder, port and backends.json.
type gateway struct {
	*process
	url    string // http://127.0.0.1:PORT
	config string // path of backends.json
	env    []string
}

// startGateway runs the binary without Docker and waits until it serves. env
// adds settings.
func startGateway(t *testing.T, env ...string) *gateway {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	config := filepath.Join(t.TempDir(), "config", "backends.json")
	g := &gateway{
		url:    "http://127.0.0.1:" + port,
		config: config,
		env: append([]string{
			"PORT=" + port, "MCP_GW_LISTEN=127.0.0.1", "CONFIG_PATH=" + config,
			"MCP_GW_DOCKER=off", "MCP_GW_LOG_LEVEL=debug",
		}, env...),
	}
	g.start(t)
	return g
}

// start runs the binary (again) with the same port and files.
func (g *gateway) start(t *testing.T) {
	t.Helper()
	p := startProcess(t, "mcp-gw", g.env, nil, gatewayBinary)
	g.process = p
	t.Cleanup(func() {
		p.kill()
		for _, sign := range []string{"WARNING: DATA RACE", "panic:", "fatal error:"} {
			if strings.Contains(p.output(), sign) {
				t.Errorf("the gateway said %q:\n%s", sign, p.output())
			}
		}
	})
	eventually(t, "/readyz", func() bool {
		select {
		case <-p.exited:
			t.Fatalf("the gateway ended at its start: %v\n%s", p.err, p.output())
		default:
		}
		resp, err := http.Get(g.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// mcp is the address that clients use.
func (g *gateway) mcp() string { return g.url + "/mcp" }

// api sends one REST request and returns status, headers and body.
func (g *gateway) api(t *testing.T, method, path, body string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, resp.Header, text
}

// register adds a backend by REST and returns its state, whatever that is.
func (g *gateway) register(t *testing.T, name, url, transport string) []byte {
	t.Helper()
	status, _, body := g.api(t, http.MethodPost, "/api/backends",
		fmt.Sprintf(`{"name":%q,"url":%q,"transport":%q}`, name, url, transport))
	if status != http.StatusOK || string(get(body, "ok")) != "true" {
		t.Fatalf("register %s at %s: got HTTP %d %s", name, url, status, body)
	}
	return get(body, "backend")
}

// connect registers a backend and waits until it is connected.
func (g *gateway) connect(t *testing.T, name, url, transport string) {
	t.Helper()
	g.register(t, name, url, transport)
	g.awaitStatus(t, name, "connected")
}

// backend returns one entry of GET /api/backends, nil when there is none.
func (g *gateway) backend(t *testing.T, name string) []byte {
	t.Helper()
	status, _, body := g.api(t, http.MethodGet, "/api/backends", "")
	if status != http.StatusOK {
		t.Fatalf("GET /api/backends: got HTTP %d %s", status, body)
	}
	for _, b := range elements(t, body) {
		if str(b, "name") == name {
			return b
		}
	}
	return nil
}

func (g *gateway) awaitStatus(t *testing.T, name, want string) []byte {
	t.Helper()
	var last []byte
	defer func() {
		if t.Failed() {
			t.Logf("backend %s: %.600s", name, without(last, "tools"))
		}
	}()
	eventually(t, "backend "+name+" to be "+want, func() bool {
		last = g.backend(t, name)
		return str(last, "status") == want
	})
	return last
}

// indent makes JSON readable in a failure's text.
func indent(text []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return string(text)
	}
	return out.String()
}

// took reports how long f ran.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
