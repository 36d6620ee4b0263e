package downstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

const (
	// maxBatch is how many messages one batch may have.
	maxBatch = 1000
	// atOnce is how many of a batch's requests are served at the same time.
	atOnce = 16
)

// batch serves a JSON-RPC batch, which 2025-03-26 has, and no other revision.
func (h *Handler) batch(w http.ResponseWriter, r *http.Request, body []byte, scope string) {
	s, ok := h.session(w, r, nil, scope)
	if !ok {
		return
	}
	if s.Version != mcp.ProtocolVersion20250326 {
		h.turnAway(w, r, http.StatusBadRequest, nil, mcp.INVALID_REQUEST, "version",
			fmt.Sprintf("batches are only of revision %s, and this session is of %s: send each message in a request of its own", mcp.ProtocolVersion20250326, s.Version))
		return
	}
	if !json.Valid(body) {
		h.turnAway(w, r, http.StatusBadRequest, nil, mcp.PARSE_ERROR, "message", "the batch is not JSON")
		return
	}
	var messages []*wire.Message
	var unread [][]byte // answers to elements that are no message
	err := wire.Elements(bytes.TrimSpace(body), func(raw []byte) error {
		if len(messages)+len(unread) == maxBatch {
			return fmt.Errorf("a batch may have %d messages at most", maxBatch)
		}
		m := new(wire.Message)
		err := m.Scan(raw)
		switch {
		case err != nil:
			unread = append(unread, bridge.RPCError(nil, nil, mcp.INVALID_REQUEST, err.Error(), nil))
		case m.Method == string(mcp.MethodInitialize):
			unread = append(unread, bridge.RPCError(nil, m.ID.In(m.Raw), mcp.INVALID_REQUEST, "initialize cannot be part of a batch", nil))
		default:
			messages = append(messages, m)
		}
		return nil
	})
	if err == nil && len(messages)+len(unread) == 0 {
		err = fmt.Errorf("the batch is empty")
	}
	if err != nil {
		h.turnAway(w, r, http.StatusBadRequest, nil, mcp.INVALID_REQUEST, "message", err.Error())
		return
	}
	out := &shelf{w: w, answers: unread}
	defer out.close()
	h.serveAll(out, r, messages, s)
}

// serveAll serves the messages of a batch beside each other.
func (h *Handler) serveAll(out *shelf, r *http.Request, messages []*wire.Message, s *session) {
	var work sync.WaitGroup
	defer work.Wait()
	places := make(chan struct{}, atOnce)
	for _, m := range messages {
		if m.Kind != wire.KindRequest {
			h.inSession(newCapture(nil), r, m, s)
			continue
		}
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			c := newCapture(out.frame)
			h.legacyRequest(c, r, m, s)
			if answer := c.body.Bytes(); len(answer) > 0 {
				out.put(answer)
			}
		})
	}
}

// shelf collects the answers of a batch: for one JSON array at its end, or, as soon
// as something comes before that is no answer, for a stream.
type shelf struct {
	w http.ResponseWriter

	mu      sync.Mutex // guards w and what follows
	answers [][]byte
	stream  bool
}

// put adds an answer.
func (b *shelf) put(answer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stream {
		_ = event(b.w, answer)
		return
	}
	b.answers = append(b.answers, answer)
}

// frame passes on what a request streams, its answer included.
func (b *shelf) frame(events []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stream {
		b.stream = true
		startStream(b.w)
		for _, answer := range b.answers {
			_ = event(b.w, answer)
		}
		b.answers = nil
	}
	return writeStream(b.w, events)
}

// close sends what was collected.
func (b *shelf) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.stream:
		endStream(b.w)
	case len(b.answers) == 0:
		b.w.WriteHeader(http.StatusAccepted)
	default:
		writeJSON(b.w, http.StatusOK, []byte("["), bytes.Join(b.answers, []byte(",")), []byte("]"))
	}
}
