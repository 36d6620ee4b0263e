package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// session carries messages to a backend and back. Implementations: httpSession
// for streamable HTTP of every revision, sseSession for HTTP+SSE, stdioSession for
// the standard input and output of a process.
type session interface {
	// do sends a request, whose id is id, and hands each message that belongs to
	// it to receive, the response last. It answers errSessionLost when the
	// backend refused the request because it does not know the session.
	do(ctx context.Context, h http.Header, body *buffer, id int64, receive func(*wire.Message) error) error
	// notify sends a message that gets no answer.
	notify(ctx context.Context, body *buffer) error
	// listen reads what the backend sends of its own accord, from where at says,
	// until the stream ends. opened is called once it is open, with the kinds whose
	// changes it tells. errNoStream means that the backend offers none.
	listen(ctx context.Context, at *place, opened func(kinds)) error
	// hear takes a message that belongs to no call.
	hear(m *wire.Message)
	// pass hands a message to request id where all share one stream, and answers
	// false where they do not, or when the request is not under way.
	pass(id int64, m *wire.Message) bool
	// peer is what was negotiated.
	peer() Peer
	// over reports that the session was closed or abandoned.
	over() bool
	// close ends the session at the backend, if it has one.
	close(ctx context.Context)
	// abandon frees what a session holds that the backend does not know any more.
	abandon()
}

// errNoStream means that the backend sends nothing of its own accord.
var errNoStream = errors.New("the backend offers no stream")

// httpSession is streamable HTTP: a session of 2025, or none in 2026-07-28 and on
// servers that keep none.
type httpSession struct {
	*endpoint
	owner *slot
	id    string // Mcp-Session-Id, empty when the backend gave none
	p     Peer
	self
	ended atomic.Bool
	// stamps are the values of the session's headers, of one that is settled.
	stamps struct{ version, id []string }
}

// settle notes that id and p stay as they are.
func (s *httpSession) settle() *httpSession {
	s.stamps.version, s.stamps.id = []string{s.p.Version}, []string{s.id}
	return s
}

func (s *httpSession) peer() Peer                     { return s.p }
func (s *httpSession) hear(m *wire.Message)           { s.owner.heard(s, m) }
func (s *httpSession) pass(int64, *wire.Message) bool { return false }
func (s *httpSession) over() bool                     { return s.ended.Load() }

// stamp adds what every request of the session carries.
func (s *httpSession) stamp(h http.Header) {
	version, id := s.stamps.version, s.stamps.id
	if version == nil { // it is being opened
		version, id = []string{s.p.Version}, []string{s.id}
	}
	h["Mcp-Protocol-Version"] = version
	if s.id != "" {
		h["Mcp-Session-Id"] = id
	}
}

func (s *httpSession) do(ctx context.Context, h http.Header, body *buffer, id int64, receive func(*wire.Message) error) error {
	s.stamp(h)
	answered := false
	take := func(m *wire.Message) error {
		if m.Kind == wire.KindResponse {
			if !answers(m, id) {
				return fmt.Errorf("answered request %s instead of %d", oneLine(string(m.ID.In(m.Raw))), id)
			}
			answered = true
		}
		return receive(m)
	}
	_, err := s.post(ctx, h, body, id, take)
	if err == nil && !answered {
		return &statusError{status: http.StatusAccepted, body: "no answer to a request"}
	}
	if broken := (*brokenStream)(nil); errors.As(err, &broken) {
		return s.resume(ctx, broken, id, take)
	}
	return s.lost(err)
}

// lost turns the refusal of a session into errSessionLost.
func (s *httpSession) lost(err error) error {
	if err == nil || s.id == "" {
		return err
	}
	var status *statusError
	if !errors.As(err, &status) {
		return err
	}
	if status.sessionLost() {
		return errSessionLost
	}
	return err
}

func (s *httpSession) notify(ctx context.Context, body *buffer) error {
	h := make(http.Header, 8)
	s.stamp(h)
	_, err := s.post(ctx, h, body, 0, func(*wire.Message) error { return nil })
	return s.lost(err)
}

func (s *httpSession) listen(ctx context.Context, at *place, opened func(kinds)) error {
	if s.p.Modern {
		return s.listenModern(ctx, opened)
	}
	return s.listenLegacy(ctx, at, opened)
}

// listenLegacy is listen before 2026-07-28: a GET, whose answer is a stream
// (basic/transports, listening for messages from the server).
func (s *httpSession) listenLegacy(ctx context.Context, at *place, opened func(kinds)) error {
	h := make(http.Header, 8)
	s.stamp(h)
	if at.known {
		h[lastEventID] = []string{at.id}
	}
	res, err := s.get(ctx, h)
	if err != nil {
		var status *statusError
		if err = s.lost(err); !errors.As(err, &status) || !status.permanent() {
			return err
		}
		if at.known { // it was the place that was refused, perhaps
			*at = place{}
			return err
		}
		return errNoStream // 405 is the specified refusal; servers use others too
	}
	defer res.Body.Close()
	opened(s.owner.link.info.announced())
	events := wire.NewEventReader(res.Body, int(s.max))
	var m wire.Message
	take := func(m *wire.Message) error { s.hear(m); return nil }
	for {
		ev, err := events.Next()
		if err != nil {
			*at = placeOf(events).after(*at)
			return err
		}
		if len(ev.Data) > 0 && ev.Type == "message" {
			_ = each(ev.Data, &m, take) // garbage between messages harms nobody
		}
	}
}

// listenModern is listen in 2026-07-28: subscriptions/listen, whose answer is a
// stream (basic/utilities/subscriptions).
func (s *httpSession) listenModern(ctx context.Context, opened func(kinds)) error {
	acknowledged := false
	err := s.subscriptions(ctx, `"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true`,
		func(honoured []byte) error {
			acknowledged = true
			told := announced(func(kind string) []byte { return wire.Member(honoured, kind+"ListChanged") })
			if told == 0 {
				return errNoStream // none of use
			}
			opened(told)
			return nil
		})
	var rpc *RefusedError
	if errors.As(err, &rpc) || err == nil && !acknowledged { // it answered something else
		return errNoStream
	}
	return err
}

// subscriptions asks for the notifications that filter names, the members of an
// object, and hears them until the stream ends. acknowledged takes the filter as
// the backend honours it. A *RefusedError is the backend's error.
func (s *httpSession) subscriptions(ctx context.Context, filter string, acknowledged func(honoured []byte) error) error {
	id := s.owner.link.nextID.Add(1)
	body := getBuffer()
	defer body.release()
	_, err := s.post(ctx, s.subscribing(body, id, filter), body, id, func(m *wire.Message) error {
		switch {
		case m.Kind == wire.KindResponse && m.Error.Present():
			rpc := rpcErrorOf(m)
			return &RefusedError{Object: rpc.object, Code: rpc.code}
		case m.Method == mcp.MethodNotificationSubscriptionsAcknowledged:
			return acknowledged(m.Notifications.In(m.Raw))
		case m.Kind == wire.KindNotification:
			s.hear(m)
		}
		return nil
	})
	if status := (*statusError)(nil); errors.As(err, &status) && status.permanent() {
		return errNoStream
	}
	return err
}

// subscribing writes the request for what filter names to body, and answers its header.
func (s *httpSession) subscribing(body *buffer, id int64, filter string) http.Header {
	body.b = s.appendRequest(body.b, id, string(mcp.MethodSubscriptionsListen), `"notifications":{`+filter+`}`)
	h := make(http.Header, 8)
	s.stamp(h)
	h["Mcp-Method"] = []string{string(mcp.MethodSubscriptionsListen)}
	return h
}

func (s *httpSession) close(ctx context.Context) {
	if s.id == "" {
		return // there is none: several may use it
	}
	s.ended.Store(true)
	h := make(http.Header, 8)
	s.stamp(h)
	res, err := s.transport.RoundTrip(s.newRequest(ctx, http.MethodDelete, s.url, h, nil))
	if err == nil {
		res.Body.Close()
	}
}

func (s *httpSession) abandon() { s.ended.Store(true) }
