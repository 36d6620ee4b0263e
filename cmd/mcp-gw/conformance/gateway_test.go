package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// gateway is a running mcp-gw without Docker, with a folder of its own.
type gateway struct {
	*process
	url string // http://127.0.0.1:PORT
}

// startGateway runs the binary in dir and waits until it serves.
func startGateway(binary, dir string) (*gateway, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := start("mcp-gw", []string{
		"PORT=" + strconv.Itoa(port), "MCP_GW_LISTEN=127.0.0.1",
		"CONFIG_PATH=" + filepath.Join(dir, "config", "backends.json"),
		"MCP_GW_DOCKER=off", "MCP_GW_LOG_LEVEL=debug",
	}, binary)
	if err != nil {
		return nil, err
	}
	g := &gateway{process: p, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if err := p.await("/readyz", func() bool { return answers(g.url+"/readyz", http.StatusOK) }); err != nil {
		p.stop()
		return nil, err
	}
	return g, nil
}

// connect registers a backend by REST and waits until it is connected.
func (g *gateway) connect(name, url string) error {
	body := fmt.Sprintf(`{"name":%q,"url":%q,"transport":"http"}`, name, url)
	resp, err := http.Post(g.url+"/api/backends", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("register %s: HTTP %d %s", name, resp.StatusCode, text)
	}
	return g.await("backend "+name+" to be connected", func() bool { return g.status(name) == "connected" })
}

func (g *gateway) status(name string) string {
	resp, err := http.Get(g.url + "/api/backends")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var backends []struct{ Name, Status string }
	if json.NewDecoder(resp.Body).Decode(&backends) != nil {
		return ""
	}
	for _, b := range backends {
		if b.Name == name {
			return b.Status
		}
	}
	return ""
}

// mcp is the address under which one backend appears with its own names.
func (g *gateway) mcp(backend string) string { return g.url + "/mcp/" + backend }

// complaint returns a line that no run may print, or nothing.
func (g *gateway) complaint() string {
	for _, sign := range []string{"WARNING: DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(g.said.String(), sign) {
			return sign
		}
	}
	return ""
}
