package subject

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBuildSaysWhatWentWrong(t *testing.T) {
	_, err := Build(t.Context(), t.TempDir(), "cmd/none")
	if err == nil || !strings.Contains(err.Error(), "mcp-gw/cmd/none") || !strings.Contains(err.Error(), "within a clone") {
		t.Errorf("%v, want it to name the package and say where to run", err)
	}
}

// A gateway that does not come up must show why.
func TestStartSaysWhatWentWrong(t *testing.T) {
	script := filepath.Join(t.TempDir(), "gateway")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"cannot listen: $2\" >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), script, t.TempDir(), []Backend{{Name: "b1", URL: "http://127.0.0.1:1/mcp", Transport: "http", Enabled: true}})
	if err == nil || !strings.Contains(err.Error(), "cannot listen: --listen=127.0.0.1:") {
		t.Errorf("%v, want the end of its log", err)
	}
}

func TestPoll(t *testing.T) {
	n := 0
	third := func() (bool, error) { n++; return n == 3, nil }
	never := func() (bool, error) { return false, nil }
	broken := func() (bool, error) { return false, errors.New("broken") }
	state := func() string { return "half done" }
	if err := Poll(t.Context(), time.Minute, third, state); err != nil || n != 3 {
		t.Errorf("%d times, %v", n, err)
	}
	if err := Poll(t.Context(), time.Minute, broken, state); err == nil || err.Error() != "broken" {
		t.Errorf("%v, want broken", err)
	}
	if err := Poll(t.Context(), 30*time.Millisecond, never, state); err == nil || !strings.Contains(err.Error(), "half done") {
		t.Errorf("%v, want the state of things", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Poll(ctx, time.Minute, never, state); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}
