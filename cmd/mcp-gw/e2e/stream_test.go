package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
)

// listen opens the stream on which list changes arrive: a GET in the legacy era,
// subscriptions/listen, up to its acknowledgement, in the modern one. Messages
// come on the channel, which is closed when the stream ends.
func (c *rawClient) listen(t *testing.T) (messages <-chan []byte, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var stream *sseReader
	var closer io.Closer
	if c.modern {
		x, err := c.open(ctx, ask{method: "subscriptions/listen", id: `"listen:0"`, params: `"notifications":{"toolsListChanged":true}`})
		if err != nil {
			t.Fatal(err)
		}
		if x.stream == nil {
			a, _ := x.finish()
			t.Fatalf("subscriptions/listen: got %v, want a stream", a)
		}
		stream, closer = x.stream, x.resp.Body
	} else {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Mcp-Session-Id", c.session)
		req.Header.Set("MCP-Protocol-Version", legacyVersion)
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(resp.Body)
			t.Fatalf("GET with session: got HTTP %d %s, want a stream", resp.StatusCode, text)
		}
		stream, closer = newSSEReader(resp.Body), resp.Body
	}
	out := make(chan []byte, 1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		for {
			_, data, err := stream.next()
			if err != nil {
				return
			}
			select {
			case out <- data:
			case <-ctx.Done():
				return
			}
		}
	}()
	end = func() {
		cancel()
		closer.Close()
		<-done
	}
	t.Cleanup(end)
	if c.modern {
		ack := receive(t, "the acknowledgement of subscriptions/listen", out)
		if got := str(ack, "method"); got != "notifications/subscriptions/acknowledged" {
			t.Fatalf("first message on a listen stream: got %s, want the acknowledgement", ack)
		}
	}
	return out, end
}

// sseReader reads server-sent events. Events without data are skipped.
type sseReader struct{ lines *bufio.Reader }

func newSSEReader(r io.Reader) *sseReader { return &sseReader{bufio.NewReaderSize(r, 64<<10)} }

// next returns an event's name and data.
func (s *sseReader) next() (event string, data []byte, err error) {
	var parts [][]byte
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil {
			if errors.Is(err, io.EOF) && len(parts) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch field, value, _ := bytes.Cut(line, []byte(":")); {
		case len(line) == 0:
			if joined := bytes.Join(parts, []byte("\n")); len(joined) > 0 {
				return event, joined, nil
			}
			event, parts = "", nil
		case string(field) == "event":
			event = string(bytes.TrimPrefix(value, []byte(" ")))
		case string(field) == "data":
			parts = append(parts, bytes.TrimPrefix(value, []byte(" ")))
		}
	}
}
