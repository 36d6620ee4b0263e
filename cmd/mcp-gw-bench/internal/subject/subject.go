// Package subject builds and starts the gateway that is measured. It knows the
// gateway from outside: its command line, backends.json, and /readyz.
package subject

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/proc"
)

// Build compiles a main package of this module the way the image does and
// returns the path of the binary in dir. The working directory must be within a
// clone.
func Build(ctx context.Context, dir, pkg string) (string, error) {
	out := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "mcp-gw/"+pkg)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build mcp-gw/%s: %w (run from within a clone of the project)\n%s", pkg, err, text)
	}
	return out, nil
}

// Backend is an entry of backends.json.
type Backend struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	Transport string `json:"transport"`
	Enabled   bool   `json:"enabled"`
}

// Gateway is a gateway that runs.
type Gateway struct {
	*proc.Process
	URL string // of the MCP endpoint
}

// Start runs the binary with flags, on a free port, with the backends
// registered in a file of its own within dir, and waits until it is ready.
// Everything else is as in production.
func Start(ctx context.Context, binary, dir string, backends []Backend, flags ...string) (*Gateway, error) {
	home, err := os.MkdirTemp(dir, "gateway-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(home, "backends.json")
	text, err := json.MarshalIndent(map[string]any{"backends": append([]Backend{}, backends...)}, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--listen=" + addr, "--config=" + config}, flags...)
	p, err := proc.Start(ctx, filepath.Join(home, "log"), binary, args, nil)
	if err != nil {
		return nil, err
	}
	g := &Gateway{Process: p, URL: "http://" + addr + "/mcp"}
	if err := g.wait(ctx, "http://"+addr+"/readyz", 30*time.Second); err != nil {
		p.Stop()
		return nil, err
	}
	return g, nil
}

func (g *Gateway) wait(ctx context.Context, url string, limit time.Duration) error {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	var last string
	return Poll(ctx, limit, func() (bool, error) {
		if err := g.Ended(); err != nil {
			return false, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		res, err := client.Do(req)
		if err != nil {
			last = err.Error()
			return false, nil
		}
		res.Body.Close()
		last = res.Status
		return res.StatusCode == http.StatusOK, nil
	}, func() string { return fmt.Sprintf("%s: %s%s", url, last, g.Tail()) })
}

// Poll asks done every few milliseconds until it says so, fails, or limit is
// over; what then tells the state of things.
func Poll(ctx context.Context, limit time.Duration, done func() (bool, error), what func() string) error {
	late := time.NewTimer(limit)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			return fmt.Errorf("not ready after %s: %s", limit, what())
		case <-tick.C:
		}
	}
}

// freeAddress returns a loopback address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
