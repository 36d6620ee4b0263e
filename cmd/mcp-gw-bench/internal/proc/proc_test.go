package proc

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary stands for this program's servers.
func TestMain(m *testing.M) {
	switch os.Args[1] {
	case "server":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		if err := Announce(os.Stdout, []string{"http://a", "http://b"}); err != nil {
			os.Exit(2)
		}
		<-stop
	case "silent":
	case "broken":
		fmt.Fprintln(os.Stderr, "port is taken")
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

func TestServe(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, urls, err := Serve(t.Context(), log, "server")
	if err != nil || len(urls) != 2 || urls[1] != "http://b" {
		t.Fatalf("urls %v, %v", urls, err)
	}
	if err := p.Ended(); err != nil {
		t.Error(err)
	}
	p.Stop()
	p.Stop()
	if err := p.Ended(); err == nil {
		t.Error("runs after Stop")
	}
	if err := syscall.Kill(p.PID(), 0); err != syscall.ESRCH {
		t.Errorf("process %d after Stop: %v, want %v", p.PID(), err, syscall.ESRCH)
	}
}

func TestServeSaysWhatWentWrong(t *testing.T) {
	for arg, want := range map[string]string{"broken": "port is taken", "silent": "start silent"} {
		_, _, err := Serve(t.Context(), filepath.Join(t.TempDir(), "log"), arg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
	}
}

func TestContextEndsProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, filepath.Join(t.TempDir(), "log"), "sleep", []string{"60"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-p.done:
	case <-time.After(2 * patience):
		t.Fatal("goes on after its context ended")
	}
}
