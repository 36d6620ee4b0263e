package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// oldSSE speaks the HTTP+SSE transport of 2024 by hand: one stream for all
// answers, one address to post to. It serves to ask such a backend directly.
type oldSSE struct {
	post   string
	stream *sseReader
}

func dialOldSSE(t *testing.T, address string) *oldSSE {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); resp.Body.Close() })
	c := &oldSSE{stream: newSSEReader(resp.Body)}
	event, data, err := c.stream.next()
	if err != nil || event != "endpoint" {
		t.Fatalf("first event of %s: got %q %s (%v), want endpoint", address, event, data, err)
	}
	base, _ := url.Parse(address)
	target, err := base.Parse(string(data))
	if err != nil {
		t.Fatal(err)
	}
	c.post = target.String()
	c.request(t, `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`)
	c.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return c
}

func (c *oldSSE) send(t *testing.T, body string) {
	t.Helper()
	resp, err := http.Post(c.post, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("post to %s: got HTTP %d", c.post, resp.StatusCode)
	}
}

// request returns the response to body, whose id must be "hello" or "ask".
func (c *oldSSE) request(t *testing.T, body string) []byte {
	t.Helper()
	c.send(t, body)
	id := get([]byte(body), "id")
	for {
		_, data, err := c.stream.next()
		if err != nil {
			t.Fatal(fmt.Errorf("the stream ended before the response to %s: %w", body, err))
		}
		if bytes.Equal(get(data, "id"), id) && get(data, "method") == nil {
			return data
		}
	}
}

// try has the shape of rawClient.try.
func (c *oldSSE) tryCall(t *testing.T, a ask) answer {
	t.Helper()
	params := a.params
	if a.meta != "" {
		params = join(params, `"_meta":{`+a.meta+`}`)
	}
	return answer{status: http.StatusOK, final: c.request(t, `{"jsonrpc":"2.0","id":"ask","method":"`+a.method+`","params":{`+params+`}}`)}
}

func (c *oldSSE) tools(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, tool := range elements(t, get(c.tryCall(t, ask{method: "tools/list"}).final, "result", "tools")) {
		found[str(tool, "name")] = tool
	}
	return found
}
