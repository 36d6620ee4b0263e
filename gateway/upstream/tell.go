package upstream

import "context"

// letter is a message of a client on its way to one session.
type letter struct {
	to   session
	body *buffer
}

// maxOutbox is how many messages of one client are on their way to one session. What
// is beyond is dropped, as it is by a backend that does not read.
const maxOutbox = 64

// Tell sends a client's notification, raw JSON-RPC, to the sessions of lane key that
// are open, in the order of the calls, and does not wait. It opens none: what never
// heard of the client need not know.
func (u *Upstream) Tell(key string, message []byte) {
	l := u.State().link
	if l == nil {
		return
	}
	body := getBuffer()
	defer body.release()
	body.b = append(body.b, message...)
	for _, sl := range l.openSlots(key) {
		sl.tell(body)
	}
}

// tell puts body into the outbox, and begins to empty it unless that is under way: one
// after the other, so that nothing overtakes anything.
func (sl *slot) tell(body *buffer) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	s := sl.current
	if s == nil || s.peer().Modern || len(sl.outbox) >= maxOutbox {
		return
	}
	if !sl.sending && !sl.link.endpoint.work.start(sl.send) {
		return
	}
	sl.sending = true
	body.refs.Add(1)
	sl.outbox = append(sl.outbox, letter{s, body})
}

// send empties the outbox. What becomes of a message is no matter of any call; those
// for a session that is over go nowhere.
func (sl *slot) send() {
	for {
		sl.mu.Lock()
		if len(sl.outbox) == 0 {
			sl.outbox, sl.sending = nil, false
			sl.mu.Unlock()
			return
		}
		next := sl.outbox[0]
		sl.outbox = sl.outbox[1:]
		sl.mu.Unlock()
		if !next.to.over() {
			ctx, cancel := context.WithTimeout(sl.link.ctx, sl.link.cfg.ConnectTimeout)
			_ = next.to.notify(ctx, next.body)
			cancel()
		}
		next.body.release()
	}
}
