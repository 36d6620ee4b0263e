package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// peer is a real MCP server in a process of its own.
type peer struct {
	*process
	port   int
	events chan string // lines of standard output, for servers of our own

	restart func(t *testing.T) // starts it again on the same port
}

func (p *peer) address(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path) }

// await takes events until one has this name and tag.
func (p *peer) await(t *testing.T, event, tag string) {
	t.Helper()
	for {
		line := receive(t, fmt.Sprintf("%s to say %s %s", p.name, event, tag), p.events)
		if str([]byte(line), "event") == event && (tag == "" || str([]byte(line), "tag") == tag) {
			return
		}
	}
}

// launch starts a server that listens on port when ready says so.
func launch(t *testing.T, name string, port int, env []string, ready func(*peer) bool, argv ...string) *peer {
	t.Helper()
	p := &peer{port: port}
	p.restart = func(t *testing.T) {
		t.Helper()
		events := make(chan string, 4096)
		p.events = events
		p.process = startProcess(t, name, env, func(line string) {
			select {
			case events <- line:
			default: // nobody reads them: the tail in process has them
			}
		}, argv...)
		eventually(t, name+" to listen", func() bool {
			select {
			case <-p.exited:
				t.Fatalf("%s ended at its start: %v\n%s", name, p.err, p.output())
			default:
			}
			return ready(p)
		})
	}
	p.restart(t)
	return p
}

// answering is ready as soon as the port answers HTTP at all.
func answering(p *peer) bool {
	resp, err := http.Get(p.address("/"))
	if err != nil {
		return false
	}
	resp.Body.Close()
	return true
}

// node starts a script of the folder peers; PORT in args stands for its port.
func node(t *testing.T, name string, env []string, args ...string) *peer {
	t.Helper()
	dir := nodePeers(t)
	port := freePort(t)
	argv := []string{"node", filepath.Join(dir, args[0])}
	for _, a := range args[1:] {
		argv = append(argv, strings.ReplaceAll(a, "PORT", strconv.Itoa(port)))
	}
	return launch(t, name, port, append(env, "PORT="+strconv.Itoa(port)), answering, argv...)
}

// typescriptV1 serves streamable HTTP with sessions on /mcp and HTTP+SSE on /sse.
func typescriptV1(t *testing.T) *peer {
	return node(t, "TypeScript SDK 1.x", nil, "server-v1.mjs", "PORT")
}

// typescriptV2 serves the 2026 era on /mcp.
func typescriptV2(t *testing.T) *peer {
	return node(t, "TypeScript SDK 2.x", nil, "server-v2.mjs", "PORT")
}

// everything is @modelcontextprotocol/server-everything; transport is
// streamableHttp (on /mcp) or sse (on /sse).
func everything(t *testing.T, transport string) *peer {
	return node(t, "server-everything", nil, "node_modules/@modelcontextprotocol/server-everything/dist/index.js", transport)
}

// goSDK is the Go SDK's own conformance server: with sessions (2025) or without
// (2026).
func goSDK(t *testing.T, modern bool) *peer {
	t.Helper()
	port := freePort(t)
	return launch(t, "Go SDK", port, nil, answering, goPeer(t, "gosdk"),
		"-http", fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("-stateless=%v", modern))
}

// mcpGo is mcp-go's conformance server, which speaks both eras on one address.
func mcpGo(t *testing.T) *peer {
	t.Helper()
	port := freePort(t)
	return launch(t, "mcp-go", port, []string{fmt.Sprintf("CONFORMANCE_ADDR=127.0.0.1:%d", port)}, answering, goPeer(t, "mcpgo"))
}

var goPeers = map[string]func() (string, error){
	"gosdk": sync.OnceValues(func() (string, error) {
		return build("gosdk", "github.com/modelcontextprotocol/go-sdk/conformance/everything-server")
	}),
	"mcpgo": sync.OnceValues(func() (string, error) {
		return build("mcpgo", "github.com/mark3labs/mcp-go/examples/conformance")
	}),
}

func goPeer(t *testing.T, name string) string {
	t.Helper()
	bin, err := goPeers[name]()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// nodePeers returns the folder peers with its packages installed, or skips.
func nodePeers(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool+" is not installed, and this test needs peers from npm")
		}
	}
	dir, err := installPeers()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// installPeers runs `npm ci` unless the packages of this very lock file are
// there. Another test run in the same tree waits for it.
var installPeers = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs("peers")
	if err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".install.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	wanted, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(wanted)
	stamp := filepath.Join(dir, "node_modules", ".installed")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == hex.EncodeToString(sum[:]) {
		return dir, nil
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if text, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci in %s: %w\n%s", dir, err, text)
	}
	return dir, os.WriteFile(stamp, []byte(hex.EncodeToString(sum[:])), 0o600)
})

// script is a process of the folder peers that takes JSON commands line by line and
// answers each with a line that repeats its id.
type script struct {
	*process
	what  string
	heard func(event []byte) // of lines that are no answer; called with mu held

	mu      sync.Mutex // guards all below
	next    int
	waiting map[int]chan []byte
}

func startScript(t *testing.T, what, file string, heard func([]byte)) *script {
	t.Helper()
	c := newScript(what, heard)
	c.process = startProcess(t, what, nil, c.line, "node", filepath.Join(nodePeers(t), file))
	return c
}

func newScript(what string, heard func([]byte)) *script {
	return &script{what: what, heard: heard, waiting: map[int]chan []byte{}}
}

func (c *script) line(line string) {
	var id int
	c.mu.Lock()
	defer c.mu.Unlock()
	if json.Unmarshal(get([]byte(line), "id"), &id) != nil {
		c.heard([]byte(line))
		return
	}
	if waiting := c.waiting[id]; waiting != nil {
		waiting <- []byte(line)
		delete(c.waiting, id)
	}
}

// send gives a command, fields being members of its JSON, and returns its id and
// where the answer will come.
func (c *script) send(t *testing.T, op, fields string) (int, <-chan []byte) {
	t.Helper()
	id, answer, err := c.post(op, fields)
	if err != nil {
		t.Fatalf("command to the %s: %v\n%s", c.what, err, c.output())
	}
	return id, answer
}

func (c *script) post(op, fields string) (int, <-chan []byte, error) {
	answer := make(chan []byte, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.waiting[c.next] = answer
	_, err := fmt.Fprintf(c.stdin, `{"id":%d,"op":%q,%s}`+"\n", c.next, op, fields)
	return c.next, answer, err
}

// do gives a command and returns the text of its value, or of its error.
func (c *script) do(t *testing.T, op, fields string) (value, failure []byte) {
	t.Helper()
	_, answer := c.send(t, op, fields)
	line := receive(t, fmt.Sprintf("the %s to %s %s", c.what, op, fields), answer)
	return get(line, "value"), get(line, "error")
}

// must is do where an error fails the test.
func (c *script) must(t *testing.T, op, fields string) []byte {
	t.Helper()
	value, failure := c.do(t, op, fields)
	if failure != nil {
		t.Fatalf("%s %s: %s", op, fields, failure)
	}
	return value
}

// sdkClients is a process that holds connections of the official TypeScript
// clients: see peers/client.mjs for its commands.
type sdkClients struct {
	*script
	changed map[string]int // list changes announced, by connection; guarded by mu
}

func startSDKClients(t *testing.T) *sdkClients {
	t.Helper()
	c := &sdkClients{changed: map[string]int{}}
	c.script = startScript(t, "TypeScript clients", "client.mjs", func(event []byte) {
		if str(event, "event") == "list_changed" {
			c.changed[str(event, "as")]++
		}
	})
	return c
}

// changes counts the list changes that a connection was told of.
func (c *sdkClients) changes(of *typescriptConnection) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed[of.name]
}
