package upstream

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// Going on with an event stream that ended too early (2025-03-26 to 2025-11-25,
// basic/transports, resumability). A server may end the stream of a request on
// purpose, and tell with "retry" when to come back for the rest.
const (
	defaultRetry  = time.Second
	shortestRetry = 20 * time.Millisecond
	longestRetry  = 30 * time.Second
	// maxFruitless is how many streams in a row may bring nothing.
	maxFruitless = 5
	// longestID is the longest event id that is repeated to a backend.
	longestID = 1 << 10
	// lastEventID is the header that says where to go on.
	lastEventID = "Last-Event-Id"
)

func placeOf(events *wire.EventReader) place {
	p := place{retry: defaultRetry}
	p.id, p.known = events.LastID()
	p.known = p.known && len(p.id) <= longestID
	if ms := events.Retry(); ms >= 0 {
		p.told = true
		p.retry = max(min(time.Duration(ms)*time.Millisecond, longestRetry), shortestRetry)
	}
	return p
}

// resume reads the rest of a response from where its stream broke. The request
// itself is not sent again: it runs, or ran. What keeps the rest from coming counts
// as the break does, and never as a lost session, which would.
func (s *httpSession) resume(ctx context.Context, broken *brokenStream, id int64, receive func(*wire.Message) error) error {
	if !broken.known || s.p.Modern || s.p.Version == mcp.ProtocolVersion20241105 {
		return broken.err
	}
	at := broken.place
	for fruitless := 0; fruitless < maxFruitless; fruitless++ {
		select {
		case <-time.After(at.retry):
		case <-ctx.Done():
			return broken.err
		}
		h := make(http.Header, 8)
		s.stamp(h)
		h[lastEventID] = []string{at.id}
		res, err := s.get(ctx, h)
		if status := (*statusError)(nil); errors.As(err, &status) && status.permanent() {
			return broken.err
		}
		if err != nil {
			continue
		}
		err = s.readStream(res, id, receive)
		again := (*brokenStream)(nil)
		if !errors.As(err, &again) {
			return err // answered; or the client's error, or a message that is too large
		}
		if again.moved {
			fruitless = -1
		}
		at = again.after(at)
	}
	return broken.err
}

// after answers p, with what it does not say taken from before.
func (p place) after(before place) place {
	if !p.known {
		p.id, p.known = before.id, before.known
	}
	if !p.told {
		p.retry, p.told = before.retry, before.told
	}
	return p
}
