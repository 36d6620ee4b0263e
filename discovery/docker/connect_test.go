package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
)

// Every diagnosis, as people read it.
func TestDiagnoses(t *testing.T) {
	const unix, tcp = "unix:///run/x.sock", "tcp://proxy:2375"
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	denied := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	absent := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENOENT)}
	away := errors.New("Cannot connect to the Docker daemon")
	said := func(text string) error { return fmt.Errorf("ping: %w", errors.New(text)) }
	versions := func(text, asked, newest string) error {
		return readVersionError(errors.New("Error response from daemon: "+text), asked, newest)
	}
	forbidden := func(path string) error { return asked(path, fmt.Errorf("x: %w", cerrdefs.ErrPermissionDenied)) }
	tests := []struct {
		name string
		o    outage
		code string
	}{
		{"no socket", outage{host: unix, err: away, cause: absent}, codeNoSocket},
		{"a directory", outage{host: unix, err: away, cause: refused, socket: socketFacts{isDir: true}}, codeSocketDir},
		{"no rights", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, gid: 998, ownUID: 65532, groups: []int{65532}}}, codeDenied},
		{"no rights, group root", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, ownUID: 1, groups: []int{1}}}, codeDenied},
		{"no rights, right group", outage{host: unix, err: away, cause: denied, socket: socketFacts{mode: fs.ModeSocket | 0o660, gid: 5, ownUID: 1, groups: []int{5}}}, codeDenied},
		{"no rights, nothing known", outage{host: unix, err: away, cause: denied, socket: socketFacts{uid: -1, gid: -1, ownUID: 1, groups: []int{5}}}, codeDenied},
		{"starting", outage{host: unix, err: away, cause: refused}, codeNobody},
		{"stale", outage{host: unix, err: away, cause: refused, stale: true}, codeStale},
		{"unknown name", outage{host: tcp, err: away, cause: &net.OpError{Err: &net.DNSError{Name: "proxy", Err: "no such host"}}}, codeUnknownHost},
		{"nobody at the address", outage{host: tcp, err: away, cause: refused, stale: true}, codeUnreachable},
		{"no engine", outage{host: tcp, err: errNoAPIVersion}, codeNoEngine},
		{"TLS wanted", outage{host: tcp, err: said("error during connect: malformed HTTP response \"\\x15\\x03\"")}, codeTLSWanted},
		{"TLS wanted, in the engine's words", outage{host: tcp, err: said("Client sent an HTTP request to an HTTPS server.")}, codeTLSWanted},
		{"TLS not wanted", outage{host: tcp, err: said("http: server gave HTTP response to HTTPS client")}, codeTLSNotWanted},
		{"own certificate", outage{host: tcp, certs: "/certs", err: said("error during connect: remote error: tls: certificate required")}, codeCertificate},
		{"the engine's certificate", outage{host: tcp, certs: "/certs", err: said("tls: failed to verify certificate: x509: certificate signed by unknown authority")}, codeCertificate},
		{"engine too old for us", outage{host: unix, err: versions("client version 1.51 is too new. Maximum supported API version is 1.20", "1.51", "")}, codeAPIVersion},
		{"engine too new for us", outage{host: unix, err: versions("client version 1.51 is too old. Minimum supported API version is 1.60, please upgrade your client to a newer version", "1.51", "1.70")}, codeAPIVersion},
		{"version demanded", outage{host: unix, pinned: "1.51", err: versions("client version 1.51 is too new. Maximum supported API version is 1.41", "1.51", "1.41")}, codeAPIVersion},
		{"version refused without a word", outage{host: unix, err: versions("client version 1.51 is too old", "1.51", "")}, codeAPIVersion},
		{"refused: ping", outage{host: tcp, err: fmt.Errorf("ping: %w", forbidden("/_ping"))}, codeRefused},
		{"refused: containers", outage{host: tcp, err: forbidden("/containers/json")}, codeRefused},
		{"refused: inspect", outage{host: tcp, err: forbidden("/containers/{id}/json")}, codeRefused},
		{"refused: method", outage{host: tcp, err: asked("/containers/json", errors.New("Error response from daemon: Method Not Allowed"))}, codeRefused},
		{"silent", outage{host: tcp, err: fmt.Errorf("ping: %w", context.DeadlineExceeded)}, codeSilent},
		{"stream ended", outage{host: tcp, err: streamEnd{io.ErrUnexpectedEOF}}, codeStreamEnded},
		{"ssh", outage{host: "ssh://me@host", err: errors.New("x")}, codeSSH},
		{"settings", outage{host: tcp, err: settingsError{errors.New(`docker certificates in "/nowhere": no such file`)}}, codeSettings},
		{"anything else", outage{host: unix, err: errors.New("list containers: boom")}, codeEngineError},
	}
	var b strings.Builder
	for _, tt := range tests {
		code, text := tt.o.diagnose()
		if code != tt.code {
			t.Errorf("%s: code %s, want %s", tt.name, code, tt.code)
		}
		fmt.Fprintf(&b, "# %s\n%s %s\n\n", tt.name, code, text)
	}
	golden(t, "testdata/diagnoses.golden", b.String())
}

// golden holds text against a file, or writes the file with -update.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s and what is said differ; run go test -update if that is meant. Said:\n%s", path, text)
	}
}

// The facts come from a real file system and a real connect.
func TestExplore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	fail := errors.New("away")
	if got := textOf(explore(t.Context(), "unix://"+path, fail)); !strings.Contains(got, "no Docker socket at "+path) {
		t.Errorf("absent: %q", got)
	}
	if got := textOf(explore(t.Context(), "unix://"+dir, fail)); !strings.Contains(got, "is a directory") {
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
	if got := textOf(explore(t.Context(), "unix://"+path, fail)); !strings.Contains(got, "nobody listens") {
		t.Errorf("closed: %q", got)
	}
}

func textOf(o outage) string {
	_, text := o.diagnose()
	return text
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
