package manual

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The environment variable that makes the test binary mount and register.
const mountEnv = "MANUAL_TEST_MOUNT"

// TestMountedAlone is the process that TestAFileMountedByItself starts, in a
// mount namespace of its own, which ends with it.
func TestMountedAlone(t *testing.T) {
	path := os.Getenv(mountEnv)
	if path == "" {
		t.Skip("runs only as a child of TestAFileMountedByItself")
	}
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(filepath.Dir(path), "source.json")
	if err := syscall.Mount(source, path, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	p, s, _ := start(t, path)
	register(t, p, reg("a", "http://a"))
	wantLast(t, s, "a=http://a")
	write(t, path, `{"backends":[`+strings.Repeat(" ", 4000))
	register(t, p, reg("b", "http://b"))
	if kept := broken(t, path); len(kept) != 1 || !strings.HasPrefix(read(t, kept[0]), `{"backends":[ `) {
		t.Errorf("the broken file was not kept: %v", kept)
	}
}

// docker run -v ./backends.json:/app/config/backends.json mounts a file that
// cannot be replaced. It is written all the same.
func TestAFileMountedByItself(t *testing.T) {
	dir := t.TempDir()
	path, source := filepath.Join(dir, "backends.json"), filepath.Join(dir, "source.json")
	write(t, path, "")
	write(t, source, `{"backends":[]}`)
	cmd := exec.Command(os.Args[0], "-test.run=^TestMountedAlone$", "-test.v")
	cmd.Env = append(os.Environ(), mountEnv+"="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if os.IsPermission(err) || strings.Contains(string(out), "operation not permitted") {
		t.Skip("this user may not mount")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d, err := parse([]byte(read(t, source)))
	if err != nil || len(d.registrations()) != 2 {
		t.Errorf("the mounted file has %+v, %v", d.registrations(), err)
	}
}
