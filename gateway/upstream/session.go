package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// session carries messages to a backend and back. Implementations: httpSession
// for streamable HTTP of every revision, sseSession for HTTP+SSE.
type session interface {
	// do sends a request, whose id is id, and hands each message that belongs to
	// it to receive, the response last. It answers errSessionLost when the
	// backend refused the request because it does not know the session.
	do(ctx context.Context, h http.Header, body *buffer, id int64, receive func(*wire.Message) error) error
	// notify sends a message that gets no answer.
	notify(ctx context.Context, body *buffer) error
	// listen reads what the backend sends of its own accord until the stream
	// ends. opened is called once it is open. errNoStream means that the backend
	// offers none.
	listen(ctx context.Context, opened func(), receive func(*wire.Message)) error
	// peer is what was negotiated.
	peer() Peer
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
	id string // Mcp-Session-Id, empty when the backend gave none
	p  Peer
	self
}

func (s *httpSession) peer() Peer { return s.p }

// stamp adds what every request of the session carries.
func (s *httpSession) stamp(h http.Header) {
	h["Mcp-Protocol-Version"] = []string{s.p.Version}
	if s.id != "" {
		h["Mcp-Session-Id"] = []string{s.id}
	}
}

func (s *httpSession) do(ctx context.Context, h http.Header, body *buffer, id int64, receive func(*wire.Message) error) error {
	s.stamp(h)
	answered := false
	_, err := s.post(ctx, h, body, id, func(m *wire.Message) error {
		if m.Kind == wire.KindRequest {
			s.reply(m, s.notify)
			return nil
		}
		if m.Kind == wire.KindResponse {
			if !answers(m, id) {
				return fmt.Errorf("answered request %s instead of %d", oneLine(string(m.ID.In(m.Raw))), id)
			}
			answered = true
		}
		return receive(m)
	})
	if err == nil && !answered {
		return &statusError{status: http.StatusAccepted, body: "no answer to a request"}
	}
	return s.lost(err)
}

// lost turns the refusal of a session into errSessionLost.
func (s *httpSession) lost(err error) error {
	var status *statusError
	if s.id == "" || !errors.As(err, &status) {
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

// reply answers a request of the backend by way of notify, in a goroutine of its
// own: who reads the backend's stream must not wait for a server that may itself
// be waiting for its reader. What becomes of the answer is no matter of the call
// that the request came with.
func (e *endpoint) reply(m *wire.Message, notify func(context.Context, *buffer) error) {
	select {
	case e.replies <- struct{}{}:
	default:
		return
	}
	body := getBuffer()
	body.b = appendReply(body.b, m)
	if !e.work.start(func() {
		defer func() { body.release(); <-e.replies }()
		ctx, cancel := context.WithTimeout(e.ctx, e.patience)
		defer cancel()
		_ = notify(ctx, body)
	}) {
		body.release()
		<-e.replies
	}
}

// appendReply appends the answer to a request of a backend. A ping is fulfilled;
// anything else is declined, because the capabilities that the gateway declared
// have none of it.
func appendReply(dst []byte, m *wire.Message) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = append(dst, m.ID.In(m.Raw)...)
	if m.Method == string(mcp.MethodPing) {
		return append(dst, `,"result":{}}`...)
	}
	text, _ := json.Marshal("the client did not declare the capability that " + m.Method + " needs")
	dst = append(append(dst, `,"error":{"code":-32601,"message":`...), text...)
	return append(dst, "}}"...)
}

func (s *httpSession) listen(ctx context.Context, opened func(), receive func(*wire.Message)) error {
	if s.p.Modern {
		return s.subscribe(ctx, opened, receive)
	}
	h := make(http.Header, 8)
	s.stamp(h)
	res, err := s.get(ctx, h)
	if err != nil {
		var status *statusError
		if err = s.lost(err); errors.As(err, &status) && status.permanent() {
			return errNoStream // 405 is the specified refusal; servers use others too
		}
		return err
	}
	defer res.Body.Close()
	opened()
	events := wire.NewEventReader(res.Body, int(s.max))
	var m wire.Message
	for {
		ev, err := events.Next()
		if err != nil {
			return err
		}
		if len(ev.Data) == 0 || m.Scan(ev.Data) != nil {
			continue
		}
		if m.Kind == wire.KindRequest {
			s.reply(&m, s.notify)
			continue
		}
		receive(&m)
	}
}

// listenID is the id of our subscriptions/listen. It is alone on its stream.
const listenID = 1

// subscribe is listen in 2026-07-28: subscriptions/listen, whose answer is a
// stream (basic/utilities/subscriptions).
func (s *httpSession) subscribe(ctx context.Context, opened func(), receive func(*wire.Message)) error {
	body := getBuffer()
	defer body.release()
	body.b = s.appendRequest(body.b, listenID, string(mcp.MethodSubscriptionsListen),
		`"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}`)
	h := make(http.Header, 8)
	s.stamp(h)
	h["Mcp-Method"] = []string{string(mcp.MethodSubscriptionsListen)}
	_, err := s.post(ctx, h, body, listenID, func(m *wire.Message) error {
		switch {
		case m.Kind == wire.KindResponse && m.Error.Present():
			return errNoStream
		case m.Method == mcp.MethodNotificationSubscriptionsAcknowledged:
			if string(wire.Member(m.Notifications.In(m.Raw), "toolsListChanged")) != "true" {
				return errNoStream // none of use
			}
			opened()
		case m.Kind == wire.KindNotification:
			receive(m)
		}
		return nil
	})
	var status *statusError
	if errors.As(err, &status) && status.permanent() {
		return errNoStream
	}
	return err
}

func (s *httpSession) close(ctx context.Context) {
	if s.id == "" {
		return
	}
	h := make(http.Header, 8)
	s.stamp(h)
	res, err := s.transport.RoundTrip(s.newRequest(ctx, http.MethodDelete, s.url, h, nil))
	if err == nil {
		res.Body.Close()
	}
}

func (s *httpSession) abandon() {} // it holds nothing
