package upstream

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/gateway/wire"
)

// personPatience is how long a call may be silent at least while a person thinks
// about what the backend asked.
const personPatience = 10 * time.Minute

// vigil ends a call that is silent for too long.
type vigil struct {
	silence time.Duration
	slot    *slot
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	start   time.Time
	heard   atomic.Int64 // when a message came last, in ns since start
	asks    atomic.Int32 // requests of the backend that the client has not answered
	over    atomic.Bool
}

func (v *vigil) begin(silence time.Duration, sl *slot, cancel context.CancelCauseFunc) {
	v.silence, v.slot, v.cancel, v.start = silence, sl, cancel, time.Now()
	// The timer may not run before it is known to who runs in it.
	v.timer = time.AfterFunc(time.Hour, v.check)
	v.timer.Reset(silence)
}

func (v *vigil) end() {
	v.over.Store(true)
	v.timer.Stop()
}

// alive notes a sign of life.
func (v *vigil) alive() {
	v.heard.Store(int64(time.Since(v.start)))
	if !v.over.Load() {
		v.timer.Reset(v.silence)
	}
}

func (v *vigil) check() {
	if v.over.Load() {
		return
	}
	limit := v.silence
	if v.asks.Load() > 0 || v.slot.asking() {
		limit = max(limit, personPatience)
	}
	if left := limit - (time.Since(v.start) - time.Duration(v.heard.Load())); left > 0 {
		v.timer.Reset(min(left, v.silence)) // the answer may come in the meantime
		return
	}
	v.cancel(fmt.Errorf("%w after %v of silence", errSilent, v.silence))
}

// attempt is an exchange on its way through one session.
type attempt struct {
	*vigil
	link    *link
	x       Exchange
	session session
	peer    Peer
	id      int64

	mu    sync.Mutex // serialises the exchange's methods
	ended bool
}

// carriage is what one call needs, in one piece of memory.
type carriage struct {
	vigil
	first attempt
}

// attempt answers a new attempt, in memory of its own when the first is used up.
func (c *carriage) attempt(again bool) *attempt {
	a := &c.first
	if again {
		a = &attempt{}
	}
	a.vigil = &c.vigil
	return a
}

func (a *attempt) run(ctx context.Context) error {
	body := getBuffer()
	defer body.release()
	body.b = a.x.Encode(body.b, a.id, a.peer)
	h := make(http.Header, 12)
	a.x.Header(h, a.peer)
	a.slot.begin(a)
	defer a.finish()
	return a.session.do(ctx, h, body, a.id, a.receive)
}

func (a *attempt) finish() {
	a.slot.end(a)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// receive takes a message that came with the exchange.
func (a *attempt) receive(m *wire.Message) error {
	a.alive()
	switch m.Kind {
	case wire.KindRequest:
		a.asked(m)
		return nil
	case wire.KindNotification:
		if a.link.noticed(m) {
			return nil
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return nil
	}
	a.ended = m.Kind == wire.KindResponse
	return a.x.Receive(m, a.peer)
}

// overhear takes a message that came elsewhere and can only belong to the exchange.
func (a *attempt) overhear(m *wire.Message) {
	if err := a.receive(m); err != nil {
		a.cancel(err)
	}
}

// asked takes a request of the backend. A backend that keeps no sessions knows
// neither who would be asked nor what the client can do.
func (a *attempt) asked(m *wire.Message) {
	if isPing(m) || a.slot.lane == nil || a.peer.Modern || !a.ask(m) {
		a.link.reply(a.session, m)
	}
}

func (a *attempt) ask(m *wire.Message) bool {
	reply := a.link.replyTo(a.session, &a.asks, a.alive)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || !a.x.Ask(m, reply.send) {
		reply.forget()
		return false
	}
	return true
}
