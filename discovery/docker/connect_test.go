package docker

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOutageText(t *testing.T) {
	const unix, tcp = "unix:///run/x.sock", "tcp://proxy:2375"
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	denied := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	absent := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENOENT)}
	away := errors.New("Cannot connect to the Docker daemon")
	tests := []struct {
		name string
		o    outage
		want []string
	}{
		{"no socket", outage{host: unix, err: away, cause: absent}, []string{"no Docker socket at /run/x.sock", "Mount it", "DOCKER_HOST"}},
		{"a directory", outage{host: unix, err: away, cause: refused, socket: socketFacts{isDir: true}}, []string{"is a directory"}},
		{"no rights", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, gid: 998, ownUID: 65532, groups: []int{65532}}},
			[]string{"permission denied", "uid 65532", "gid 998", `group_add: ["998"]`}},
		{"group root", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, ownUID: 1, groups: []int{1}}}, []string{"proxy"}},
		{"right group", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, gid: 5, ownUID: 1, groups: []int{5}}}, []string{"SELinux"}},
		{"starting", outage{host: unix, err: away, cause: refused}, []string{"nobody listens", "Is the engine running?"}},
		{"stale", outage{host: unix, err: away, cause: refused, since: time.Minute}, []string{"stale", "start this container anew"}},
		{"name", outage{host: tcp, err: away, cause: &net.OpError{Err: &net.DNSError{Name: "proxy", Err: "no such host"}}}, []string{`"proxy" is not known here`}},
		{"unreachable", outage{host: tcp, err: away, cause: errors.New("no route to host")}, []string{"no route to host"}},
		{"no engine", outage{host: tcp, err: errNoAPIVersion}, []string{"not like an engine", "/_ping"}},
		{"TLS wanted", outage{host: tcp, err: errors.New("malformed HTTP response \"\\x15\\x03\"")}, []string{"DOCKER_TLS_VERIFY=1"}},
		{"TLS not wanted", outage{host: tcp, err: errors.New("http: server gave HTTP response to HTTPS client")}, []string{"Unset DOCKER_CERT_PATH"}},
		{"too new", outage{host: unix, err: errors.New("client version 1.51 is too new. Maximum supported API version is 1.41")}, []string{"no API version suits"}},
		{"too new, demanded", outage{host: unix, err: errors.New("client version 1.51 is too new"), pinned: "1.51"}, []string{"Unset DOCKER_API_VERSION"}},
		{"refused", outage{host: tcp, err: errors.New("list containers: request returned 403 Forbidden for API route and version http://proxy/v1.45/containers/json")}, []string{"/containers/json", "must allow GET"}},
		{"silent", outage{host: tcp, err: context.DeadlineExceeded}, []string{"does not answer"}},
		{"ssh", outage{host: "ssh://me@host", err: errors.New("x")}, []string{"ssh is not supported"}},
		{"other", outage{host: unix, err: errors.New("strange")}, []string{unix, "strange"}},
	}
	for _, tt := range tests {
		got := tt.o.text()
		for _, w := range tt.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", tt.name, got, w)
			}
		}
	}
}

// The facts come from a real file system and a real connect.
func TestExplore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	fail := errors.New("away")
	if got := explore(t.Context(), "unix://"+path, fail).text(); !strings.Contains(got, "no Docker socket at "+path) {
		t.Errorf("absent: %q", got)
	}
	if got := explore(t.Context(), "unix://"+dir, fail).text(); !strings.Contains(got, "is a directory") {
		t.Errorf("directory: %q", got)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	o := explore(t.Context(), "unix://"+path, fail)
	if o.cause != nil || o.socket.gid != os.Getgid() || o.socket.mode.Type() != fs.ModeSocket {
		t.Errorf("listening: %+v", o)
	}
	_ = l.Close()
	if got := explore(t.Context(), "unix://"+path, fail).text(); !strings.Contains(got, "nobody listens") {
		t.Errorf("closed: %q", got)
	}
}

func TestNewDoesNotConnectAndBadSettingsAreDiagnosed(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Host: "nonsense"}, "nonsense"},
		{Config{Host: "ssh://host"}, "ssh is not supported"},
		{Config{Host: "tcp://127.0.0.1:1", CertPath: "/nowhere"}, "/nowhere"},
	} {
		p, r := runProvider(t, New(tt.cfg))
		e := awaitEngineError(t, p, tt.want)
		if e.Connected {
			t.Errorf("%+v: connected", tt.cfg)
		}
		if _, put := r.set(); put {
			t.Errorf("%+v: a set was put although nothing is known", tt.cfg)
		}
	}
}
