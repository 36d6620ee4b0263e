package upstream

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"mcp-gw/gateway/wire"
)

// A person may think for longer than a backend may be silent.
func TestAskKeepsACallAlive(t *testing.T) {
	for _, where := range []string{"in the call", "on the stream"} {
		t.Run(where, func(t *testing.T) {
			b := newBackend(t)
			b.offerStreams()
			want := at(b.URL)
			want.CallTimeout = time.Second
			u := start(t, want, quick())
			awaitReady(t, u)
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				stream(w)
				if where == "in the call" {
					send(w, "%s", sampling)
				} else {
					b.say(t, q.session, "data: "+sampling)
				}
				await(t, "the answer", func() bool { return len(b.answers(`"s"`)) == 1 })
				send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
			})
			c := &client{}
			replies := make(chan Reply, 1)
			a := &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo", onAsk: func(_ *wire.Message, reply Reply) bool { replies <- reply; return true }}
			done := make(chan error)
			go func() { done <- u.Call(context.Background(), a) }()
			if where == "on the stream" {
				await(t, "being asked", func() bool { _, asked := c.got(); return len(asked) == 1 })
				replies <- c.replies[0]
			}
			reply := <-replies
			select {
			case err := <-done:
				t.Fatalf("the call ended: %v", err)
			case <-time.After(want.CallTimeout * 3 / 2): // the person's thoughts
			}
			reply([]byte(`{"jsonrpc":"2.0","id":"s","result":{}}`))
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Nor may anybody think for ever, and after the answer the backend is timed as before.
func TestVigil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := func(silence time.Duration, meanwhile func(*vigil)) time.Duration {
			v := &vigil{}
			ctx, cancel := context.WithCancelCause(t.Context())
			start := time.Now()
			v.begin(silence, &slot{}, cancel)
			defer v.end()
			go meanwhile(v)
			<-ctx.Done()
			if err := context.Cause(ctx); !errors.Is(err, errSilent) {
				t.Errorf("ended with %v", err)
			}
			return time.Since(start)
		}
		for name, test := range map[string]struct {
			silence   time.Duration
			meanwhile func(*vigil)
			want      time.Duration
		}{
			"silence":           {time.Minute, func(v *vigil) {}, time.Minute},
			"a sign of life":    {time.Minute, func(v *vigil) { time.Sleep(50 * time.Second); v.alive() }, 110 * time.Second},
			"an ask":            {time.Minute, func(v *vigil) { v.asks.Add(1) }, personPatience},
			"an answered ask":   {time.Minute, func(v *vigil) { v.asks.Add(1); time.Sleep(5 * time.Minute); v.alive(); v.asks.Add(-1) }, 6 * time.Minute},
			"long own patience": {time.Hour, func(v *vigil) { v.asks.Add(1) }, time.Hour},
		} {
			if got := ended(test.silence, test.meanwhile); got != test.want {
				t.Errorf("%s: ended after %v, want %v", name, got, test.want)
			}
		}
	})
}
