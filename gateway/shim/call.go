package shim

import (
	"context"
	"errors"
	"net/http"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

// call is a request that waits for its response.
type call struct {
	*listener
	client    *client
	id, token string // raw JSON; token may be empty
}

// next answers the next message for the call.
func (k *call) next(ctx context.Context) ([]byte, error) {
	select {
	case raw := <-k.messages:
		return raw, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-k.client.ended:
	}
	select {
	case raw := <-k.messages: // it came before the end
		return raw, nil
	default:
		return nil, k.client.why
	}
}

// response answers the response, and leaves what comes before it to the next stream.
func (k *call) response(ctx context.Context) (raw []byte, ok bool, err error) {
	for {
		var m wire.Message
		if raw, err = k.next(ctx); err != nil {
			return nil, false, err
		}
		if m.Scan(raw) == nil && m.Kind == wire.KindResponse {
			return raw, m.Result.Present(), nil
		}
		k.client.mu.Lock()
		k.client.keep(raw)
		k.client.mu.Unlock()
	}
}

// answer sends what comes for a call: one JSON where that is the response and comes
// soon, else a stream.
func (k *call) answer(w http.ResponseWriter, r *http.Request) {
	soon, cancel := context.WithTimeout(r.Context(), plainPatience)
	raw, err := k.next(soon)
	cancel()
	if err == nil && k.isResponse(raw) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw) // who has left reads nothing
		return
	}
	events := newEvents(w)
	for {
		switch {
		case err == nil:
			if events.send(raw) != nil || k.isResponse(raw) {
				return
			}
		case r.Context().Err() != nil:
			return
		case errors.Is(err, context.DeadlineExceeded):
			if events.comment() != nil {
				return
			}
		default:
			_ = events.send(bridge.RPCError(nil, []byte(k.id), codeInternal, err.Error(), nil)) // the last word
			return
		}
		wait, cancel := context.WithTimeout(r.Context(), keepAlive)
		raw, err = k.next(wait)
		cancel()
	}
}

func (k *call) isResponse(raw []byte) bool {
	var m wire.Message
	return m.Scan(raw) == nil && m.Kind == wire.KindResponse
}
