//go:build unix

package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The process that may not open the socket has to be one of another user: root may
// open everything.
func TestF35PermissionDenied(t *testing.T) {
	const place = "MCP_GW_TEST_SOCKET"
	if path := os.Getenv(place); path != "" {
		p, r := runProvider(t, New(Config{Host: "unix://" + path}))
		e := awaitEngineError(t, p, "permission denied on "+path)
		for _, want := range []string{"uid 65532, groups [65532]", "gid 4711, mode -rw-rw----", `group_add: ["4711"]`} {
			if !strings.Contains(e.Error, want) {
				t.Errorf("%q lacks %q", e.Error, want)
			}
		}
		if _, put := r.set(); put || e.Code != codeDenied || e.Connected {
			t.Errorf("engine %+v", e)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	f := newFake(t)
	if err := os.Chmod(f.path, 0o660); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(f.path, 0, 4711); err != nil {
		t.Fatal(err)
	}
	open, err := os.MkdirTemp("", "discovery-docker-") // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	for _, dir := range []string{open, filepath.Dir(f.path), filepath.Dir(filepath.Dir(f.path))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(open, "test")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run=^TestF35PermissionDenied$", "-test.v")
	cmd.Dir, cmd.Env = open, append(os.Environ(), place+"="+f.path, "HOME="+open)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestF35PermissionDenied") {
		t.Errorf("%v\n%s", err, out)
	}
}
