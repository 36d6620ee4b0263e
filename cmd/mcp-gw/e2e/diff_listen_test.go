package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// headerText is value as a header may hold it.
func headerText(value string) string {
	for _, r := range value {
		if r < 0x20 || r > 0x7e {
			return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(value)) + "?="
		}
	}
	return value
}

// listen opens a stream of the 2026 era for what filter names, and waits for its
// acknowledgement. It reports whether the server has such streams.
func (c *byHand) listen(t *testing.T, name, filter string) bool {
	t.Helper()
	ask := step{method: "subscriptions/listen", params: `{"notifications":{` + filter + `}}`}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"subscriptions/listen","params":%s}`, "listen to "+name, ask.withMeta(c.reserved("")))
	req := c.request("POST", c.post, body, ask)
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		resp.Body.Close()
		return false
	}
	stream := newSSEReader(resp.Body)
	_, first, err := stream.next()
	if err != nil || str(first, "method") != "notifications/subscriptions/acknowledged" {
		resp.Body.Close()
		t.Fatalf("subscriptions/listen: got HTTP %d %s (%v), want the acknowledgement", resp.StatusCode, first, err)
	}
	ended := make(chan struct{})
	c.work.Go(func() {
		defer close(ended)
		defer resp.Body.Close()
		c.read(stream)
	})
	c.streams[name] = func() { resp.Body.Close(); <-ended }
	return true
}
