package bridge

import (
	"context"
	"net/http"
	"testing"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

var (
	legacyPeer = upstream.Peer{Version: "2025-11-25"}
	modernPeer = upstream.Peer{Modern: true, Version: "2026-07-28"}
)

// target is a backend that a test plays.
type target func(x upstream.Exchange) error

func (f target) Call(_ context.Context, x upstream.Exchange) error { return f(x) }

// ledger is an Answer that keeps what it gets, of a client that answers each question
// at once by answers, if it has any.
type ledger struct {
	notified []string
	replies  []string
	code     int
	asked    []string
	unasked  []string
	fate     journal.Fate
	answers  func(m *wire.Message) string // the member of a response, or "" for none
}

func (l *ledger) Ask(backend string, m *wire.Message, reply upstream.Reply) bool {
	l.asked = append(l.asked, string(m.Raw))
	if l.answers == nil {
		return false
	}
	if member := l.answers(m); member != "" {
		reply([]byte(`{"jsonrpc":"2.0","id":` + string(m.ID.In(m.Raw)) + `,` + member + `}`))
	}
	return true
}

func (l *ledger) Unask(backend string, id []byte) {
	l.unasked = append(l.unasked, backend+" "+string(id))
}

func (l *ledger) Note(f *journal.Fate) { l.fate = *f }

func (l *ledger) Notify(m []byte) error {
	l.notified = append(l.notified, string(m))
	return nil
}

func (l *ledger) Reply(m []byte, code int) error {
	l.replies, l.code = append(l.replies, string(m)), code
	return nil
}

func (l *ledger) reply(t *testing.T) string {
	t.Helper()
	if len(l.replies) != 1 {
		t.Fatalf("%d replies: %q", len(l.replies), l.replies)
	}
	return l.replies[0]
}

func scan(t *testing.T, text string) *wire.Message {
	t.Helper()
	m := new(wire.Message)
	if err := m.Scan([]byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// route is that of the tool name of backend "b".
func route(name string, j *journal.Journal, f target) *Route {
	return (&Route{Backend: "b", Name: name, Place: AtName, Meter: j.Meter("b", name), Target: f}).Prepare(nil)
}

// encode answers what a backend gets for request, under the id 100.
func encode(t *testing.T, name string, client Client, request string, to upstream.Peer) string {
	t.Helper()
	var sent string
	r := route(name, journal.New(journal.Options{}), func(x upstream.Exchange) error {
		sent = string(x.Encode([]byte("before"), 100, to))[len("before"):]
		return nil
	})
	Carry(context.Background(), r, client, scan(t, request), new(ledger))
	return sent
}

// relay answers what the client gets for request when the backend sends messages.
func relay(t *testing.T, client Client, request string, from upstream.Peer, messages ...string) *ledger {
	t.Helper()
	got := new(ledger)
	r := route("tool", journal.New(journal.Options{}), func(x upstream.Exchange) error {
		x.Encode(nil, 100, from)
		for _, text := range messages {
			m := scan(t, text)
			if err := x.Receive(m, from); err != nil {
				return err
			}
			clear(m.Raw) // a message is valid only during the call
		}
		return nil
	})
	Carry(context.Background(), r, client, scan(t, request), got)
	return got
}

// header answers the HTTP header that a call gets.
func header(t *testing.T, r *Route, client Client, request string, to upstream.Peer) http.Header {
	t.Helper()
	h := http.Header{}
	r.Target = target(func(x upstream.Exchange) error { x.Header(h, to); return nil })
	Carry(context.Background(), r, client, scan(t, request), new(ledger))
	return h
}
