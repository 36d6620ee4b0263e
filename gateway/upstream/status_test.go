package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"mcp-gw/gateway/wire"
)

// statusOf is an exchange that keeps the status of its response.
type statusOf struct {
	ask
	lock   sync.Mutex
	status []int
}

func (s *statusOf) Receive(m *wire.Message, _ Peer) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.status = append(s.status, m.Status)
	return nil
}

// A response keeps the status that it came with, where that says more than the
// response; an answer without one is an error that keeps it.
func TestStatusOfAResponse(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   int // of the response; -1 where there is none
		refuse int // of the error
	}{
		"a result":                  {200, `{"jsonrpc":"2.0","id":%s,"result":{}}`, 0, 0},
		"an error with 200":         {200, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"no"}}`, 0, 0},
		"an error with 400":         {400, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"no"}}`, 400, 0},
		"an error with 500":         {500, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"no"}}`, 500, 0},
		"an error of no request":    {400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"%.0s"}}`, -1, 400},
		"an error of another":       {400, `{"jsonrpc":"2.0","id":"%s","error":{"code":-32602,"message":"no"}}`, -1, 400},
		"a result with 400":         {400, `{"jsonrpc":"2.0","id":%s,"result":{}}`, -1, 400},
		"no message":                {503, `sorry%.0s`, -1, 503},
		"a refusal for credentials": {401, `{"error":"invalid_token"}%.0s`, -1, 401},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				fmt.Fprintf(w, test.body, q.id)
			})
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			x := &statusOf{ask: ask{lane: "a", tool: "echo"}}
			err := u.Call(t.Context(), x)
			if test.want < 0 {
				var lost *UnavailableError
				var refused interface{ HTTPStatus() int }
				if !errors.As(err, &lost) || lost.NotRun || !errors.As(err, &refused) || refused.HTTPStatus() != test.refuse || len(x.status) > 0 {
					t.Errorf("error %v, received %v; want an error with %d", err, x.status, test.refuse)
				}
				return
			}
			if err != nil || len(x.status) != 1 || x.status[0] != test.want {
				t.Errorf("error %v, received %v; want %d", err, x.status, test.want)
			}
		})
	}
}

// What was not answered over HTTP has no status.
func TestNoStatusOfABrokenConnection(t *testing.T) {
	b := newBackend(t)
	b.handle("tools/call", func(http.ResponseWriter, *question) { panic(http.ErrAbortHandler) })
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	_, err := call(t, u, "a", "echo")
	var refused interface{ HTTPStatus() int }
	if err == nil || errors.As(err, &refused) {
		t.Errorf("error %v has a status", err)
	}
}
