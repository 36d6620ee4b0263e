package manual

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The environment variable that makes the test binary register without end.
const victimEnv = "MANUAL_TEST_VICTIM"

// TestVictim is the process that TestKilledWhileSaving kills.
func TestVictim(t *testing.T) {
	path := os.Getenv(victimEnv)
	if path == "" {
		t.Skip("runs only as a child of TestKilledWhileSaving")
	}
	p, _, _ := start(t, path)
	for i := 0; ; i++ {
		r := reg("counter", fmt.Sprintf("http://h/%d", i))
		r.Headers = map[string]string{"X-Filler": strings.Repeat("x", 1<<16)}
		register(t, p, r)
		fmt.Println("saved", i)
	}
}

// Whatever the moment at which the process is killed, the file is whole, has
// every registration that was answered, and what was there before.
func TestKilledWhileSaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	write(t, path, `{"keep":true,"backends":[{"name":"first","url":"http://first","transport":"http"}]}`)
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
		cmd.Env = append(os.Environ(), victimEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		saved := -1
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if n, err := fmt.Sscanf(lines.Text(), "saved %d", &saved); n == 1 && err == nil && saved == 1+round {
				break
			}
		}
		time.Sleep(time.Duration(round) * 700 * time.Microsecond) // another moment each time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			_, _ = fmt.Sscanf(lines.Text(), "saved %d", &saved)
		}
		_ = cmd.Wait() // it was killed

		d, err := parse([]byte(read(t, path)))
		if err != nil {
			t.Fatalf("round %d: the file is broken: %v", round, err)
		}
		regs := d.registrations()
		if len(regs) != 2 || regs[0].URL != "http://first" || len(d.fields) != 2 {
			t.Fatalf("round %d: the file has %d backends, %d fields", round, len(regs), len(d.fields))
		}
		var have int
		if _, err := fmt.Sscanf(regs[1].URL, "http://h/%d", &have); err != nil || have < saved {
			t.Errorf("round %d: the file has number %d, and %d was answered", round, have, saved)
		}
	}
}
