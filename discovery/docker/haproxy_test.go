//go:build unix

package docker

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mcp-gw/discovery"
)

// haproxy is a socket proxy of the kind that most people have: one that HAProxy is
// inside of, with a switch for each section of the API. Its streams end when nothing
// happens for timeout.
func haproxy(t *testing.T, socket, timeout string, sections ...string) (host string) {
	t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed; other tests have a proxy of their own") // no reason to fail on CI
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // haproxy takes the port
	var b strings.Builder
	fmt.Fprintf(&b, `defaults
    mode http
    timeout connect 5s
    timeout client %[1]s
    timeout server %[1]s
backend engine
    server engine %[2]s
frontend proxy
    bind %[3]s
    http-request deny unless METH_GET || { method HEAD }
`, timeout, socket, addr)
	for _, s := range sections {
		fmt.Fprintf(&b, "    http-request allow if { path,url_dec -m reg -i ^(/v[\\d\\.]+)?/%s }\n", s)
	}
	b.WriteString("    http-request deny\n    default_backend engine\n")
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-f", config, "-db")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Process.Kill() // it would wait for the event stream
		_ = cmd.Wait()
	})
	waitFor(t, "haproxy listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return "tcp://" + addr
}

func TestHAProxyPermitsAndRefuses(t *testing.T) {
	l := newLab(t)
	socket := strings.TrimPrefix(l.cli.DaemonHost(), "unix://")
	l.start(want{labels: port8080("behind")})
	for _, tt := range []struct {
		code     string
		sections []string
	}{
		{"", []string{"_ping", "version", "events", "containers", "networks"}},
		{codeNoNetworks, []string{"_ping", "version", "events", "containers"}},
		{codeNoEvents, []string{"_ping", "version", "containers", "networks"}},
		{codeNoInspect, []string{"_ping", "version", "events", "containers/json", "networks"}},
	} {
		p, r := l.watch(Config{Host: haproxy(t, socket, "1m", tt.sections...), Log: testLog(t)})
		r.awaitNames(t, "behind")
		awaitReport(t, p, "code "+tt.code, func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Code == tt.code })
	}
	for _, sections := range [][]string{{"_ping", "version", "events", "networks"}, nil} {
		p, _ := l.watch(Config{Host: haproxy(t, socket, "1m", sections...), Log: testLog(t)})
		if e := awaitEngineError(t, p, "403 Forbidden"); e.Code != codeRefused || strings.Contains(e.Error, "<html>") {
			t.Errorf("engine %+v", e)
		}
	}
}

// Such a proxy ends streams on which nothing happens. That is nothing to tell people
// of, and costs nothing.
func TestHAProxyCutsQuietStreams(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("behind")})
	var log safeBuffer
	host := haproxy(t, strings.TrimPrefix(l.cli.DaemonHost(), "unix://"), "1s", "_ping", "version", "events", "containers", "networks")
	p := New(Config{Host: host, Network: l.net, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, r := runProvider(t, p)
	first := r.awaitNames(t, "behind").set[0]
	waitFor(t, "three ends of a stream", func() bool { return strings.Count(log.String(), "connection to the engine ended") >= 3 })
	for _, p := range r.all() {
		if len(p.set) != 1 || !p.set[0].Same(first) {
			t.Errorf("a stream that ended touched the set: %+v", p.set)
		}
	}
	for line := range strings.Lines(log.String()) {
		// The engine has other containers, of which there may be something to say.
		if strings.Contains(line, "level=WARN") && !strings.Contains(line, "container remark") {
			t.Errorf("people are told of it: %s", line)
		}
	}
}
