package bridge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// Bounds on the calls that wait for their clients' input.
const (
	// parkTime is how long a client has for its answer.
	parkTime = 5 * time.Minute
	// maxParked is how many calls wait at once, maxOwn how many of one principal's:
	// each holds a request at a backend open.
	maxParked = 1000
	maxOwn    = 200
)

// Parking carries the calls of modern clients to legacy backends, which ask in the
// middle of a call what a modern client is only asked in a result. The call stays
// open at the backend while the client finds the answer; the repeated request finds
// it by its requestState, which nobody but its caller can use, and only once.
type Parking struct {
	seal *Seal
	ttl  time.Duration

	ctx    context.Context // ends the calls
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	next   uint64
	waits  map[uint64]*parked
}

// NewParking makes an empty one. The key must be the same as long as states are to
// be recognised.
func NewParking(key [32]byte) *Parking {
	p := &Parking{seal: NewSeal(key, "requestState", "mcpgw1."), ttl: parkTime, waits: map[uint64]*parked{}}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

var errClosing = errors.New("the gateway is stopping")

// Close ends all calls and waits for them.
func (p *Parking) Close() {
	p.cancel(errClosing)
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.work.Wait()
}

// Carry takes msg along route like the function of that name. It returns when the
// client has an answer, which may be that input is required.
func (p *Parking) Carry(ctx context.Context, route *Route, client Client, msg *wire.Message, answer Answer) {
	if state, ok := wire.Unquote(msg.RequestState.In(msg.Raw)); ok && p.seal.Ours(state) {
		p.resume(ctx, state, route, client, msg, answer)
		return
	}
	// The call outlives the request that began it, and so must its bytes.
	own := new(wire.Message)
	if err := own.Scan(bytes.Clone(withoutVisits(msg))); err != nil {
		return // it was scanned before
	}
	client.Capabilities = bytes.Clone(client.Capabilities)
	callCtx, end := context.WithCancelCause(p.ctx)
	settled := make(chan struct{})
	k := &parked{in: p, end: end, answer: answer, settled: settled, id: bytes.Clone(msg.ID.In(msg.Raw)),
		principal: client.Principal, bound: bound(route, client, msg), finished: make(chan struct{})}
	if !p.start(func() {
		defer close(k.finished)
		defer end(nil)
		defer k.over()
		Carry(callCtx, route, client, own, k)
	}) {
		end(errClosing)
		return
	}
	k.wait(ctx, settled)
}

func (p *Parking) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.work.Go(f)
	}
	return !p.closed
}

// bound is what a state is good for: the same request of the same caller.
func bound(route *Route, client Client, msg *wire.Message) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(client.Principal), []byte(route.Backend), []byte(msg.Method), []byte(route.Name), msg.Arguments.In(msg.Raw)} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return h.Sum(nil)
}

// park keeps k for the repeated request and answers its state.
func (p *Parking) park(k *parked) (state string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, own := 0, 0
	for _, other := range p.waits {
		if other.ended.Load() {
			continue // it holds nothing open, and waits with its answer
		}
		all++
		if other.principal == k.principal {
			own++
		}
	}
	// Clients that do not say who they are may be many.
	if all >= maxParked || k.principal != "" && own >= maxOwn || len(p.waits) >= 2*maxParked {
		return "", fmt.Errorf("%d calls wait for their clients' input already: answer those first, or let them expire in %v", all, p.ttl)
	}
	p.next++
	number := p.next
	p.waits[number] = k
	k.expiry = time.AfterFunc(p.ttl, func() {
		if p.take(number) != nil {
			k.end(fmt.Errorf("the client did not give the input that was asked for within %v", p.ttl))
		}
	})
	return p.seal.Close(ticket{number, time.Now().Add(p.ttl)}.bytes(), k.bound), nil
}

// take answers the call that was parked under number, and forgets it.
func (p *Parking) take(number uint64) *parked {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.waits[number]
	if k != nil {
		delete(p.waits, number)
		k.expiry.Stop()
	}
	return k
}

// resume gives a repeated request to the call that waits for it.
func (p *Parking) resume(ctx context.Context, state string, route *Route, client Client, msg *wire.Message, answer Answer) {
	refuse := func(text string) {
		answer.Note(&journal.Fate{Kind: journal.ErrGateway, Err: text})
		_ = answer.Reply(RPCError(nil, msg.ID.In(msg.Raw), mcp.INVALID_PARAMS, text, nil), mcp.INVALID_PARAMS)
	}
	content, err := p.seal.Open(state, bound(route, client, msg))
	if err != nil {
		refuse("requestState is not good for this request: " + err.Error() + "; repeat the same request unchanged, or call again without it")
		return
	}
	t, ok := readTicket(content)
	var k *parked
	if ok && time.Now().Before(t.expires) {
		k = p.take(t.call)
	}
	if k == nil {
		refuse(notThere)
		return
	}
	settled := k.attach(answer, msg)
	k.give(msg.InputResponses.In(msg.Raw))
	k.wait(ctx, settled)
}

const notThere = "the call that asked for this input is not there any more: it expired, was answered already, or the gateway was restarted; call again without requestState"

// Asks reports whether a legacy backend could ask a client with these capabilities
// anything: if not, a call needs no parking.
func Asks(capabilities []byte) bool {
	for _, name := range [...]string{"elicitation", "sampling", "roots"} {
		if wire.Member(capabilities, name) != nil {
			return true
		}
	}
	return false
}
