package examples

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
)

// wait is for what takes a second at most.
const wait = 60 * time.Second

// built is the folder in which the binaries lie as the Dockerfile wants them.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// pack builds gateway and demo server once for all tests.
func pack(t *testing.T) (dir string) {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "mcp-gw-examples-"); built.err != nil {
			return
		}
		cmd := exec.Command("../.ci/pack", filepath.Join(built.dir, "out"), "test")
		cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH="+runtime.GOARCH, "TAGS=") // with the dashboard or without
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

// startGateway runs the gateway on this host, on a port of its own, and returns
// its address.
func startGateway(t *testing.T, flags ...string) (url string) {
	t.Helper()
	addr := freeAddress(t)
	config := filepath.Join(t.TempDir(), "backends.json")
	start(t, nil, filepath.Join(pack(t), "out/gateway/mcp-gw"), append([]string{"serve", "--listen=" + addr, "--config=" + config}, flags...)...)
	url = "http://" + addr
	await(t, "the gateway", func() error {
		_, err := fetch(t.Context(), http.MethodGet, url+"/readyz", "")
		return err
	})
	return url
}

// start runs a program until the test ends. If the test fails, its output is
// shown.
func start(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s:\n%s", filepath.Base(name), text)
		}
		log.Close()
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await repeats check until it finds nothing wrong.
func await(t *testing.T, what string, check func() error) {
	t.Helper()
	for end := time.Now().Add(wait); ; {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v, after %s", what, err, wait)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// fetch makes a REST request and returns the answer.
func fetch(ctx context.Context, method, url, body string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, url, res.Status, text)
	}
	return string(text), err
}

// connect opens an MCP session with the gateway.
func connect(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.NewStreamableHttpClient(url + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var init mcp.InitializeRequest
	init.Params.ClientInfo = mcp.Implementation{Name: "examples", Version: "1"}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Initialize(t.Context(), init); err != nil {
		t.Fatal(err)
	}
	return c
}

// backends waits until the tools listed are of exactly these backends.
func backends(t *testing.T, c *client.Client, want ...string) {
	t.Helper()
	await(t, "tools/list", func() error {
		list, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
		if err != nil {
			return err
		}
		var got []string
		for _, tool := range list.Tools {
			name, _, _ := strings.Cut(tool.Name, "__")
			got = append(got, name)
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			return fmt.Errorf("tools of %v, want of %v", got, want)
		}
		return nil
	})
}

// call calls a tool and returns the text of its result.
func call(t *testing.T, c *client.Client, tool string, args map[string]any) string {
	t.Helper()
	var r mcp.CallToolRequest
	r.Params.Name, r.Params.Arguments = tool, args
	res, err := c.CallTool(t.Context(), r)
	if err != nil || res.IsError || len(res.Content) == 0 {
		t.Fatalf("%s: %+v, %v", tool, res, err)
	}
	return mcp.GetTextFromContent(res.Content[0])
}
