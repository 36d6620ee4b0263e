package e2e

import (
	"testing"
	"time"
)

// rowsHang is a tool that runs until it is cancelled or released.
type rowsHang struct {
	started chan *rowsCall
	ended   chan string
	release chan struct{}
}

func newRowsHang() *rowsHang {
	return &rowsHang{make(chan *rowsCall, 16), make(chan string, 16), make(chan struct{}, 16)}
}

func (h *rowsHang) answer(c *rowsCall) string {
	h.started <- c
	select {
	case <-c.ctx.Done():
		h.ended <- "cancelled"
		return ""
	case <-h.release:
		h.ended <- "released"
		return `"result":{"content":[],"released":true}`
	case <-time.After(patience):
		h.ended <- "given up"
		return ""
	}
}

func prepareCancellation(s *rowsStub) {
	s.hang, s.clock = newRowsHang(), newRowsHang()
	s.tool("hang", s.hang.answer)
	s.tool("clock", s.clock.answer)
}

// A client cancels in the way of its era, the backend hears of it in the way of its
// own, under its own id; and a legacy client that only loses its connection has not
// cancelled.
func runCancellation(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		c := w.dial(t)
		cancel := func(c *rawClient, modern bool, tool string, h *rowsHang) (call *rowsCall) {
			t.Helper()
			a := w.call(tool, `{}`)
			a.id = `"to cancel"`
			disconnect, ended := begin(t, c, a)
			call = receive(t, "the call to start", h.started)
			if modern {
				disconnect()
			} else {
				c.notify(t, "notifications/cancelled", `"requestId":`+a.id+`,"reason":"enough"`)
			}
			if how := receive(t, "the call to end", h.ended); how != "cancelled" {
				t.Errorf("%s: the call was %s, want cancelled", tool, how)
			}
			receiveClosed(t, "the client's request to end", ended)
			return call
		}
		call := cancel(c, w.client, "hang", w.s.hang)
		if !w.s.modern {
			all := w.s.requests("notifications/cancelled", "")
			newest := all[len(all)-1]
			if string(get(newest.body, "params", "requestId")) != string(call.id) || newest.session != call.session {
				t.Errorf("got the cancellation %s in session %s, want one of id %s in %s", newest.body, newest.session, call.id, call.session)
			}
		}
		if w.client {
			return
		}
		// Others cancel the same id, and the client's connection breaks off: neither
		// counts. Later cancellations that do tell when the earlier ones would have.
		a := w.call("hang", `{}`)
		a.id = "7"
		disconnect, _ := begin(t, c, a)
		receive(t, "the call to start", w.s.hang.started)
		other := w.dial(t)
		other.notify(t, "notifications/cancelled", `"requestId":7`)
		c.notify(t, "notifications/cancelled", `"requestId":"7"`)
		disconnect()
		for range 2 {
			cancel(other, false, "clock", w.s.clock)
		}
		w.s.hang.release <- struct{}{}
		if how := receive(t, "the call to end", w.s.hang.ended); how != "released" {
			t.Errorf("a call that nobody cancelled was %s", how)
		}
	})
}
