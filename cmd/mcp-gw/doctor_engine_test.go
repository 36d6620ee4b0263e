package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"mcp-gw/discovery"
)

// oneContainer is an engine with one container, behind a proxy that refuses the paths
// that fit.
func oneContainer(refused string) http.Handler {
	refuse := regexp.MustCompile(refused)
	version := regexp.MustCompile(`^/v1\.[0-9]+`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := version.ReplaceAllString(r.URL.Path, "")
		if refused != "" && refuse.MatchString(path) {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		w.Header().Set("Api-Version", "1.45")
		w.Header().Set("Content-Type", "application/json")
		const networks = `"NetworkSettings":{"Networks":{"mcp-gw-net":{"NetworkID":"n","IPAddress":"192.0.2.7"}}}`
		switch path {
		case "/_ping":
			fmt.Fprint(w, "OK")
		case "/version":
			fmt.Fprint(w, `{"Version":"26.1.5","ApiVersion":"1.45","MinAPIVersion":"1.24"}`)
		case "/networks":
			fmt.Fprint(w, `[{"Name":"mcp-gw-net","Id":"n"}]`)
		case "/containers/json":
			fmt.Fprint(w, `[{"Id":"aaaa","Names":["/web"],"State":"running","Labels":{"mcp-gw.port":"8080"},`+networks+`}]`)
		case "/containers/aaaa/json":
			fmt.Fprint(w, `{"Id":"aaaa","Name":"/web","State":{"Status":"running","StartedAt":"2026-01-02T03:04:05Z"},"Config":{"Labels":{"mcp-gw.port":"8080"}},`+networks+`}`)
		case "/events":
			_ = http.NewResponseController(w).Flush() // the stream is open when its head is there
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	})
}

// What stands between doctor and the engine is told with what to do, and with an exit
// code of its own when nothing could be looked at.
func TestDoctorOfTheEngine(t *testing.T) {
	stale := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close() // its file stays, as a mounted one does when its engine ends
	at := func(handler http.Handler, secure bool) string {
		s := httptest.NewUnstartedServer(handler)
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // of a client that speaks no TLS
		if secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		t.Cleanup(s.CloseClientConnections)
		return "tcp://" + s.Listener.Addr().String()
	}
	certs := certificates(t)
	for name, test := range map[string]struct {
		host string
		code int
		want []string
	}{
		"well":             {at(oneContainer(""), false), 0, []string{"ok  engine", "26.1.5, API 1.45", `ok  network`, "ok  web", "registered as web"}},
		"missing socket":   {"unix:///nowhere.sock", 2, []string{"FAIL  engine", "no Docker socket at /nowhere.sock. Mount it", "is not there"}},
		"stale socket":     {"unix://" + stale, 2, []string{"FAIL  engine", "nobody listens on " + stale, "this one is stale: start this container anew"}},
		"refused inspect":  {at(oneContainer(`^/containers/[^/]+/json$`), false), 0, []string{"warn  engine", "refuses GET /containers/{id}/json (403 Forbidden). Set CONTAINERS=1 on a tecnativa/docker-socket-proxy", "ok  web"}},
		"refused listing":  {at(oneContainer(`^/containers/json$`), false), 2, []string{"FAIL  engine", "refuses GET /containers/json", "CONTAINERS=1"}},
		"TLS wanted":       {at(oneContainer(""), true), 2, []string{"FAIL  engine", "speaks TLS, and it was spoken to without. Set DOCKER_CERT_PATH and DOCKER_TLS_VERIFY=1"}},
		"TLS not wanted":   {at(oneContainer(""), false), 2, []string{"FAIL  engine", "does not speak TLS, and it was spoken to with TLS. Unset DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"}},
		"wrong authority":  {at(oneContainer(""), true), 2, []string{"FAIL  engine", "needs the ca.pem that has signed it"}},
		"not an engine":    {at(http.NotFoundHandler(), false), 2, []string{"FAIL  engine", "/_ping"}},
		"nobody at a port": {"tcp://127.0.0.1:1", 2, []string{"FAIL  engine", "cannot be reached", "DOCKER_HOST"}},
	} {
		args := []string{"doctor", "--port=1", "--docker-host=" + test.host}
		if name == "TLS not wanted" || name == "wrong authority" {
			args = append(args, "--docker-cert-path="+certs, "--docker-tls-verify=1")
		}
		var out bytes.Buffer
		code := run(context.Background(), args, nil, &out, &out)
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
		if code != test.code {
			t.Errorf("%s: exit %d, want %d", name, code, test.code)
		}
		if t.Failed() {
			t.Fatalf("%s:\n%s", name, out.String())
		}
	}
}

// What doctor would make of a compose file with the socket in the gateway is what
// compose.yaml is.
func TestDoctorsComposeIsOurs(t *testing.T) {
	listen := gatewayWith(t, discovery.Report{Engine: discovery.Engine{Connected: true, Endpoint: "unix:///var/run/docker.sock", Network: "mcp-gw-net"}, Containers: []discovery.Observed{
		{Container: discovery.Container{Name: "gw"}, Verdict: "self", Reason: "this is the gateway"},
	}})
	engine := httptest.NewServer(oneContainer(""))
	defer engine.Close()
	defer engine.CloseClientConnections()
	var b bytes.Buffer
	code := run(context.Background(), []string{"doctor", "--docker-host=tcp://" + engine.Listener.Addr().String(), listen}, nil, &b, &b)
	out := b.String()
	_, diff, found := strings.Cut(out, "fix: let docker-proxy hold it, as compose.yaml does\n")
	if !found || code != 0 { // a warning is no problem
		t.Fatalf("exit %d, no such fix in\n%s", code, out)
	}
	var after strings.Builder
	after.WriteString("services:\n")
	for line := range strings.Lines(diff) {
		line, inside := strings.CutPrefix(line, "        ")
		if !inside {
			break
		}
		if !strings.HasPrefix(line, "-") {
			after.WriteString(line[1:])
		}
	}
	var proposed, ours any
	if err := yaml.Unmarshal([]byte(after.String()), &proposed); err != nil {
		t.Fatalf("%v in\n%s", err, after.String())
	}
	if err := yaml.Unmarshal([]byte(composeWithDefaults(t)), &ours); err != nil {
		t.Fatal(err)
	}
	contains(t, "", ours, proposed)
	own := ours.(map[string]any)["services"].(map[string]any)["docker-proxy"].(map[string]any)
	for _, key := range []string{"image", "command", "volumes", "networks", "user", "cap_drop", "security_opt", "read_only", "restart"} {
		if _, ok := proposed.(map[string]any)["services"].(map[string]any)["docker-proxy"].(map[string]any)[key]; !ok || own[key] == nil {
			t.Errorf("docker-proxy is proposed, or made, without %s", key)
		}
	}
}

// composeWithDefaults is compose.yaml as compose reads it without an environment.
func composeWithDefaults(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`).ReplaceAllString(string(b), "$1")
}

// contains checks that all of part is in whole: entries of mappings, items of lists.
func contains(t *testing.T, at string, whole, part any) {
	t.Helper()
	switch part := part.(type) {
	case map[string]any:
		m, ok := whole.(map[string]any)
		for key, value := range part {
			if !ok || m[key] == nil {
				t.Errorf("compose.yaml has no %s.%s", at, key)
				continue
			}
			contains(t, at+"."+key, m[key], value)
		}
	case []any:
		for _, item := range part {
			if list, ok := whole.([]any); !ok || !slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, item) }) {
				t.Errorf("compose.yaml has no %v in %s: %v", item, at, whole)
			}
		}
	default:
		if !reflect.DeepEqual(whole, part) {
			t.Errorf("compose.yaml has %v at %s, and %v is proposed", whole, at, part)
		}
	}
}

// certificates is a folder as DOCKER_CERT_PATH wants it, of an authority that nobody
// else knows.
func certificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"ca.pem": {Type: "CERTIFICATE", Bytes: cert}, "cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
