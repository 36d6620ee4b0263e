package dockerproxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Everything here runs against a scripted engine over a real socket: what the
// engine answers has a secret wherever one may stand.
const secret = "s3cr3t-value"

func container(id, name, net, labels string) (row, full string) {
	row = fmt.Sprintf(`{"Id":%q,"Names":["/%s"],"Image":"i","Command":%q,"Labels":{%s"other":%q},"State":"running","HostConfig":{"NetworkMode":%q},"NetworkSettings":{"Networks":{%q:{"NetworkID":"n","IPAddress":"10.0.0.2"}}},"Mounts":[{"Source":%q}]}`,
		id, name, secret, labels, secret, net, net, secret)
	full = fmt.Sprintf(`{"Id":%q,"Name":"/%s","Path":%q,"Args":[%q],"State":{"Status":"running","Error":%q,"Health":{"Status":"healthy","Log":[{"ExitCode":0,"Output":%q}]}},"LogPath":%q,"Config":{"Image":"i","Env":["A=%s"],"Cmd":[%q],"Entrypoint":[%q],"Healthcheck":{"Test":[%q]},"Labels":{%s"other":%q},"OpenStdin":true},"HostConfig":{"NetworkMode":%q,"Binds":[%q]},"Mounts":[{"Source":%q}],"NetworkSettings":{"Networks":{%q:{"NetworkID":"n","IPAddress":"10.0.0.2"}}}}`,
		id, name, secret, secret, secret, secret, secret, secret, secret, secret, secret, labels, secret, net, secret, secret, net)
	return row, full
}

func scripted(t *testing.T) (base string) {
	t.Helper()
	addr, _ := scriptedExec(t, false)
	return addr
}

// scriptedExec answers also the bodies with which the engine was asked to start something.
func scriptedExec(t *testing.T, allow bool) (base string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var bodies []string
	rows, fulls := []string{}, map[string]string{}
	for _, c := range []struct{ name, net, labels string }{
		{"a", "net", `"mcp-gw.transport":"stdio",`}, {"b", "net", ""}, {"c", "else", `"mcp-gw.port":"80",`}, {"d", "else", ""},
		{"e", "net", execLabels}, {"f", "else", execLabels},
	} {
		id := strings.Repeat(c.name, 64)
		row, full := container(id, c.name, c.net, c.labels)
		rows, fulls[id] = append(rows, row), full
	}
	dir, err := os.MkdirTemp("", "proxy") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	engine, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		switch last := parts[len(parts)-1]; {
		case last == "_ping":
			w.Header().Set("Api-Version", "1.45")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
		case strings.Contains(r.URL.Path, "/exec/") && last == "json":
			fmt.Fprintf(w, `{"ID":"made","Running":false,"ExitCode":3,"ProcessConfig":{"entrypoint":%q,"arguments":[%q]}}`, secret, secret)
		case last == "json" && fulls[parts[len(parts)-2]] != "":
			fmt.Fprint(w, fulls[parts[len(parts)-2]])
		case last == "networks":
			fmt.Fprintf(w, `[{"Id":"n","Name":"net","Options":{"x":%q}},{"Id":"e","Name":"else"}]`, secret)
		case last == "services":
			fmt.Fprintf(w, `[{"ID":"1","Spec":{"Name":"x","Labels":{"mcp-gw.port":"1","o":%q}}},{"ID":"2","Spec":{"Name":%q}}]`, secret, secret)
		case last == "events":
			for i, c := range "abcd" {
				fmt.Fprintf(w, `{"Type":"container","Action":"start","Actor":{"ID":%q,"Attributes":{"name":"%c","other":%q}},"timeNano":%d}`+"\n", strings.Repeat(string(c), 64), c, secret, i)
			}
			fmt.Fprintf(w, `{"Type":"container","Action":"exec_create: %s","Actor":{"ID":%q}}`+"\n", secret, strings.Repeat("a", 64))
		case strings.HasSuffix(r.URL.Path, "/exec"), strings.HasSuffix(r.URL.Path, "/start"):
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			bodies = append(bodies, r.URL.Path+" "+string(body))
			mu.Unlock()
			if last == "exec" {
				w.WriteHeader(http.StatusCreated)
				fmt.Fprintf(w, `{"Id":"made","Secret":%q}`, secret)
				return
			}
			fallthrough
		case last == "attach":
			c, b, _ := http.NewResponseController(w).Hijack()
			defer c.Close()
			fmt.Fprint(c, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
			line, _ := b.ReadString('\n')
			fmt.Fprint(c, "echo "+line)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message":"nothing here"}`)
		}
	})}
	go func() { _ = server.Serve(engine) }()
	t.Cleanup(func() { _ = server.Close() })
	return serveProxy(t, Config{Socket: dir + "/s", Network: "net", AllowExec: allow}), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(bodies)
	}
}

func serveProxy(t *testing.T, cfg Config) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(cfg).Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l.Addr().String()
}

// raw sends a request line as it stands and reads what comes.
func raw(t *testing.T, addr, line, header, body string) (status int, answer string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", line, header, body)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, err.Error()
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		b, _ := io.ReadAll(r)
		return resp.StatusCode, string(b)
	}
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

const plainHeader = "Connection: close\r\n"

func TestForbiddenRequestsScripted(t *testing.T) {
	addr := scripted(t)
	for _, line := range forbidden {
		if strings.Contains(line, "\x00") || strings.Contains(line, "\xff") || strings.HasSuffix(line, " ") {
			continue // the server itself answers 400
		}
		status, answer := raw(t, addr, line, plainHeader, "")
		if status != http.StatusForbidden && status != http.StatusBadRequest && status != http.StatusMethodNotAllowed {
			t.Errorf("%q: %d %s", line, status, answer)
		}
	}
	for _, c := range []struct{ line, header, body string }{
		{"GET /_ping", "Connection: Upgrade\r\nUpgrade: websocket\r\n", ""},
		{"GET /_ping", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n", ""},
		{"GET /_ping", plainHeader + "Content-Length: 2\r\n", "{}"},
		{"POST /containers/" + strings.Repeat("a", 64) + "/attach?stream=1", plainHeader, ""},
		{"POST /containers/" + strings.Repeat("b", 64) + "/attach?stream=1", "Connection: Upgrade\r\nUpgrade: tcp\r\n", ""},
		{"POST /containers/" + strings.Repeat("c", 64) + "/attach?stream=1", "Connection: Upgrade\r\nUpgrade: tcp\r\n", ""},
		{"POST /containers/" + strings.Repeat("e", 64) + "/attach?stream=1", "Connection: Upgrade\r\nUpgrade: tcp\r\n", ""},
	} {
		if status, answer := raw(t, addr, c.line, c.header, c.body); status != http.StatusForbidden {
			t.Errorf("%q with %q: %d %s", c.line, c.header, status, answer)
		}
	}
	if status, answer := raw(t, addr, "POST /containers/"+strings.Repeat("d", 64)+"/attach?stream=1", "Connection: Upgrade\r\nUpgrade: tcp\r\n", ""); status != http.StatusNotFound {
		t.Errorf("attach to a foreign container: %d %s", status, answer)
	}
}

func TestNothingOfTheEnvironmentIsReadable(t *testing.T) {
	addr := scripted(t)
	lines := []string{"GET /_ping", "GET /v1.45/containers/json?all=1", "GET /networks", "GET /services", "GET /events"}
	for _, c := range "abcd" {
		lines = append(lines, "GET /containers/"+strings.Repeat(string(c), 64)+"/json")
	}
	answers := map[string]string{}
	for _, line := range lines {
		status, answer := raw(t, addr, line, plainHeader, "")
		foreign := strings.Contains(line, "dddd")
		if want := map[bool]int{false: 200, true: 404}[foreign]; status != want {
			t.Errorf("%s: %d, want %d: %s", line, status, want, answer)
		}
		if strings.Contains(answer, secret) {
			t.Errorf("%s: the answer has the secret: %s", line, answer)
		}
		if !foreign && strings.Contains(answer, "dddd") {
			t.Errorf("%s: the answer names the foreign container: %s", line, answer)
		}
		answers[line] = answer
	}
	for _, line := range lines[1:] {
		if !strings.Contains(line, "dddd") && len(answers[line]) < 10 {
			t.Errorf("%s: nothing in the answer: %q", line, answers[line])
		}
	}
	for _, c := range "abc" {
		if !strings.Contains(answers["GET /events"], strings.Repeat(string(c), 64)) {
			t.Errorf("no event of %c: %s", c, answers["GET /events"])
		}
	}
}

func TestAttachToAStdioContainer(t *testing.T) {
	addr := scripted(t)
	status, answer := raw(t, addr, "POST /containers/"+strings.Repeat("a", 64)+"/attach?stream=1&stdin=1&stdout=1", "Connection: Upgrade\r\nUpgrade: tcp\r\n", "hello\n")
	if status != http.StatusSwitchingProtocols || answer != "echo hello\n" {
		t.Errorf("%d %q", status, answer)
	}
}

func TestStaleSocketEndsTheProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Config{Socket: t.TempDir() + "/none"})
	p.guard = guard{every: 5 * time.Millisecond, stale: 20 * time.Millisecond}
	if err := p.Run(t.Context(), l); err == nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("got %v", err)
	}
}
