package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/engine"
	"mcp-gw/cmd/mcp-gw-bench/internal/fleet"
	"mcp-gw/cmd/mcp-gw-bench/internal/report"
)

// A run starts its own program for the servers; under test that is this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		main()
		return
	}
	os.Exit(m.Run())
}

// invoke runs a command line with temporary files in a folder of its own, and
// reports what was left there.
func invoke(t *testing.T, ctx context.Context, args ...string) (code int, out, errs string) {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, &stdout, &stderr)
	if left, err := filepath.Glob(tmp + "/mcp-gw-bench-*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return code, stdout.String(), stderr.String()
}

func needLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
}

func TestYardsticks(t *testing.T) {
	needLinux(t)
	file := filepath.Join(t.TempDir(), "result.json")
	code, out, errs := invoke(t, t.Context(), "--quick", "--no-gateway", "--raw", "--check", "--json", file)
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	for _, want := range []string{"call 100 B, 16 clients, 2025-11-25", "call 64 KiB, 16 clients, 2026-07-28", "list of 5000 tools", report.Direct, report.Floor, report.Raw} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil || len(r.Scenarios) != 10 {
		t.Errorf("%d scenarios in the file, %v, want 10", len(r.Scenarios), err)
	}
}

// TestGateway is the whole of `make bench`, shortened.
func TestGateway(t *testing.T) {
	needLinux(t)
	if testing.Short() {
		t.Skip("builds the gateway and loads it for half a minute")
	}
	code, out, errs := invoke(t, t.Context(), "run", "--quick", "--mixed")
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	for _, want := range []string{"promised", "call 100 B, 64 clients, 2026-07-28, CPU", "2025-11-25 to 2026-07-28", "list of 5000 tools, 4 clients, 2026-07-28, CPU", "resident memory"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

// TestDiscovery is `make bench-discovery`, shortened, and without the two rows that wait
// for half a minute.
func TestDiscovery(t *testing.T) {
	needLinux(t)
	if testing.Short() {
		t.Skip("starts containers")
	}
	if err := engine.Available(t.Context()); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs a container engine: %v", err)
	}
	code, out, errs := invoke(t, t.Context(), "discovery", "--runs=1", "--rest=100ms", "--network=mcp-gw-bench-test-net",
		"--only=start,run,listens,refused,routed,recreate,back,crowd,idle", "--crowd=4", "--settle=0s", "--idle=1s")
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	for _, want := range []string{"client of 2025-11-25, 1 runs", "client of 2026-07-28, 1 runs", "docker start returned", "docker kill called", "docker run called", "begins to listen", "a call is refused", "no new call", "recreates", "is back", "a crowd that does nothing: CPU"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestInterrupt(t *testing.T) {
	needLinux(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	code, _, errs := invoke(t, ctx, "--no-gateway", "--duration=1h")
	if code == 0 || time.Since(begin) > 30*time.Second {
		t.Errorf("exit %d after %s: %s", code, time.Since(begin), errs)
	}
}

func TestWrongAnswersFail(t *testing.T) {
	// A server that loses one call in ten.
	n := 0
	good := fleet.New(fleet.Options{Tools: 2})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n%10 == 0 {
			http.Error(w, "lost", http.StatusBadGateway)
			return
		}
		good.ServeHTTP(w, r)
	}))
	defer s.Close()
	code, out, errs := invoke(t, t.Context(), "load", "--url", s.URL+"/mcp", "-c", "1", "-d", "200ms", "--warmup", "0s")
	if code != exitWrong || !strings.Contains(out, "HTTP 502") {
		t.Errorf("exit %d, want %d\n%s\n%s", code, exitWrong, out, errs)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"--rounds=0"}, {"nonsense"}, {"discovery", "--runs=0"}, {"load", "--mode=dance"}} {
		if code, _, _ := invoke(t, t.Context(), args...); code != exitUsage {
			t.Errorf("%v: exit %d, want %d", args, code, exitUsage)
		}
	}
	if code, out, _ := invoke(t, t.Context(), "--help"); code != 0 || !strings.Contains(out, "discovery") {
		t.Errorf("--help: exit %d\n%s", code, out)
	}
}
