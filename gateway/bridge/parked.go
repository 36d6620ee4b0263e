package bridge

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Backends that ask several things ask them one after the other; the client gets
// what comes within gather of the last one, and never waits longer than gatherMost.
const (
	gather     = 30 * time.Millisecond
	gatherMost = 300 * time.Millisecond
)

// parked is one call that outlives the requests of its client. It is the Answer of
// that call: what comes is passed on to the client's request while there is one.
type parked struct {
	in        *Parking
	end       context.CancelCauseFunc
	principal string
	bound     []byte
	finished  chan struct{} // closed when the call is over
	expiry    *time.Timer   // while it is parked; guarded by in.mu
	ended     atomic.Bool   // the call is over

	mu      sync.Mutex // guards what follows
	answer  Answer     // of the request that is there; nil while it is parked
	id      []byte     // of that request
	token   []byte     // its progress token, when it is not the first one
	again   bool       // it is not the first one
	settled chan struct{}
	asks    []ask
	asked   int
	timer   *time.Timer // of gather
	first   time.Time   // when the oldest ask came that was not told yet
	late    []byte      // a response that came while nobody was there
	code    int
	fate    journal.Fate
	done    bool
}

// ask is one question of the backend's.
type ask struct {
	key    string
	id     []byte
	method string
	params []byte
	reply  upstream.Reply
}

// wait returns when the client's request has its answer, or the client has left,
// which cancels the call (2026-07-28, basic/utilities/cancellation). One that leaves
// with its answer cancels nothing: it may be a question.
func (k *parked) wait(ctx context.Context, settled <-chan struct{}) {
	select {
	case <-settled:
	case <-k.finished:
	case <-ctx.Done():
		k.mu.Lock() // an answer that is on its way counts
		k.mu.Unlock()
		select {
		case <-settled:
			return
		default:
		}
		k.end(context.Cause(ctx))
		select {
		case <-settled:
		case <-k.finished:
		}
	}
}

// attach makes msg the request that gets what comes from now on. The channel is closed
// when it has its answer.
func (k *parked) attach(answer Answer, msg *wire.Message) (settled <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer, k.settled, k.again = answer, make(chan struct{}), true
	k.id = bytes.Clone(msg.ID.In(msg.Raw))
	k.token = bytes.Clone(msg.MetaProgressToken.In(msg.Raw))
	settled = k.settled
	switch {
	case k.late != nil:
		k.answer.Note(&k.fate)
		k.settleLocked(k.late, k.code)
	case k.done: // it was ended while nobody was there
		k.answer.Note(&journal.Fate{Kind: journal.ErrGateway, Err: notThere})
		k.settleLocked(RPCError(nil, k.id, mcp.INVALID_PARAMS, notThere, nil), mcp.INVALID_PARAMS)
	}
	return settled
}

// settleLocked answers the client's request.
func (k *parked) settleLocked(message []byte, code int) {
	var m wire.Message
	if m.Scan(message) == nil && m.ID.Present() {
		message = wire.Splice(nil, message, wire.Edit{Span: m.ID, New: k.id})
	}
	_ = k.answer.Reply(message, code)
	k.answer = nil
	close(k.settled)
}

// Notify passes a notification on, if the client is there.
func (k *parked) Notify(message []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.answer == nil {
		return nil
	}
	if k.again {
		var m wire.Message
		if m.Scan(message) == nil && m.ProgressToken.Present() {
			if k.token == nil {
				return nil
			}
			message = wire.Splice(nil, message, wire.Edit{Span: m.ProgressToken, New: k.token})
		}
	}
	return k.answer.Notify(message)
}

// Note keeps how the call fared for the request that gets its response.
func (k *parked) Note(f *journal.Fate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fate = *f; k.again {
		k.fate.Sent, k.fate.First = time.Time{}, time.Time{} // of an earlier request
	}
	if k.answer != nil {
		k.answer.Note(&k.fate)
	}
}

// Reply ends the call. A client that is still thinking finds the response when it
// comes back.
func (k *parked) Reply(message []byte, code int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = true
	if k.answer == nil {
		k.late, k.code = bytes.Clone(message), code
		return nil
	}
	k.settleLocked(message, code)
	return nil
}

// Ask keeps a question until it can be told.
func (k *parked) Ask(_ string, m *wire.Message, reply upstream.Reply) bool {
	if Needs(m.Method) == "" {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done || len(k.asks) >= maxAsks {
		return false
	}
	k.asked++
	params := []byte("{}") // which clients expect to be there
	if m.Params.Present() {
		params = bytes.Clone(m.Params.In(m.Raw))
	}
	k.asks = append(k.asks, ask{"ask_" + strconv.Itoa(k.asked), bytes.Clone(m.ID.In(m.Raw)), m.Method, params, reply})
	if k.timer == nil {
		k.first = time.Now()
		k.timer = time.AfterFunc(gather, k.tell)
	} else if time.Since(k.first) < gatherMost {
		k.timer.Reset(gather)
	}
	return true
}

// Unask forgets a question that the backend took back.
func (k *parked) Unask(_ string, id []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, a := range k.asks {
		if bytes.Equal(a.id, id) {
			k.asks = append(k.asks[:i], k.asks[i+1:]...)
			return
		}
	}
}

// tell answers the client's request with what the backend asks, and parks the call.
func (k *parked) tell() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = nil
	if k.answer == nil || k.done || len(k.asks) == 0 {
		return
	}
	state, err := k.in.park(k)
	if err != nil {
		k.done = true
		k.answer.Note(&journal.Fate{Kind: journal.ErrGateway, Err: err.Error()})
		k.settleLocked(RPCError(nil, k.id, mcp.INTERNAL_ERROR, err.Error(), nil), mcp.INTERNAL_ERROR)
		k.end(err)
		return
	}
	var requests []byte
	for i, a := range k.asks {
		if i > 0 {
			requests = append(requests, ',')
		}
		requests = append(append(append(requests, '"'), a.key...), `":{"method":"`...)
		requests = append(append(requests, a.method...), `","params":`...)
		requests = append(append(requests, a.params...), '}')
	}
	quoted := wire.Quote(state)
	k.settleLocked(inputRequest(k.id, requests, quoted), 0)
}

// give passes the client's input on to the backend. What it left out is asked for
// again.
func (k *parked) give(responses []byte) {
	k.mu.Lock()
	var left, given []ask
	var results [][]byte
	for _, a := range k.asks {
		if result := wire.Member(responses, a.key); isObject(result) {
			given, results = append(given, a), append(results, result)
		} else {
			left = append(left, a)
		}
	}
	k.asks = left
	if len(left) > 0 && k.timer == nil {
		k.first = time.Now()
		k.timer = time.AfterFunc(gather, k.tell)
	}
	k.mu.Unlock()
	for i, a := range given {
		response := append(append([]byte(`{"jsonrpc":"2.0","id":`), a.id...), `,"result":`...)
		a.reply(append(append(response, results[i]...), '}'))
	}
}

// over ends what is left when the call is: a client that waits for nothing.
func (k *parked) over() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = true
	k.ended.Store(true)
	k.asks = nil // they hold the backend's connection, and k may be kept for its answer
	if k.timer != nil {
		k.timer.Stop()
	}
	if k.answer != nil {
		k.answer = nil
		close(k.settled)
	}
}
