package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// connect finds out how to speak to b: its URL first, then the alternatives; on
// each, 2026-07-28, then the sessions of 2025, then HTTP+SSE, as far as the
// transport allows. The era and address that answer are the link's for life.
func (u *Upstream) connect(ctx context.Context, b *discovery.Backend) (*link, error) {
	if b.Transport == discovery.TransportStdio {
		return u.connectStdio(ctx, b)
	}
	nowhere := &nowhereError{}
	for _, address := range append([]string{b.URL}, b.Alternatives...) {
		at, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("%q is no URL", discovery.ShowURL(address)) // err repeats it
		}
		l, err := u.connectTo(ctx, b, at)
		if status := (*statusError)(nil); errors.As(err, &status) && status.moved != "" {
			// Frameworks move /mcp to /mcp/ and the other way round.
			if to, parseErr := at.Parse(status.moved); parseErr == nil && to.Scheme == at.Scheme && to.Host == at.Host {
				to.User = at.User
				l, err = u.connectTo(ctx, b, to)
			}
		}
		if err == nil {
			return l, nil
		}
		what, elsewhere := refusal(err)
		if !elsewhere || len(b.Alternatives) == 0 {
			return nil, err // the server does not answer, or it does and means it: another path helps nobody
		}
		nowhere.refusals = append(nowhere.refusals, what+" at "+discovery.ShowURL(at.RequestURI()))
		odd := errors.Is(err, errNoMessage)
		if odd && !nowhere.odd || nowhere.answer == "" {
			nowhere.answer = answerOf(err)
		}
		nowhere.odd = nowhere.odd || odd
	}
	return nil, nowhere
}

// refusal says how a server answered that is there, but speaks no MCP at the
// address; false when err tells something else.
func refusal(err error) (what string, ok bool) {
	var status *statusError
	switch {
	case errors.As(err, &status):
		return strconv.Itoa(status.status), status.status != http.StatusUnauthorized
	case errors.Is(err, errNoMessage):
		return "another kind of answer", true
	}
	return "", false
}

// newLink prepares a link to b at an address. It outlives u.ctx by its good-bye; retire
// ends it.
func (u *Upstream) newLink(b *discovery.Backend, at *url.URL) *link {
	linkCtx, kill := context.WithCancelCause(context.Background())
	l := &link{name: b.Name, cfg: u.cfg.tuned(b.Tuning), gate: newGate(b.Tuning.MaxConcurrency), protocol: b.Tuning.Protocol, self: u.self, ctx: linkCtx, kill: kill, lanes: map[string][]*slot{}, changed: u.hearChange,
		doubt: u.doubt, renewed: u.renewed, answers: make(chan struct{}, maxAnswers)}
	l.callCtx, l.endCalls = context.WithCancelCause(linkCtx)
	l.endpoint = newEndpoint(linkCtx, at, b.Headers, l.cfg).withTLS(b.TLS)
	l.nextID.Store(100) // below are ids of fixed meaning
	return l
}

func (u *Upstream) connectTo(ctx context.Context, b *discovery.Backend, at *url.URL) (*link, error) {
	l := u.newLink(b, at)
	var err error = &statusError{status: http.StatusNotFound}
	if b.Transport != discovery.TransportSSE {
		err = u.connectHTTP(ctx, l)
	}
	if b.Transport != discovery.TransportHTTP && speaks(l.protocol, false) && refusedPost(err) {
		if sseErr := u.connectSSE(ctx, l); sseErr == nil || b.Transport == discovery.TransportSSE {
			err = sseErr
		}
	}
	if err != nil {
		var status *statusError
		if b.Transport != discovery.TransportAuto && errors.As(err, &status) {
			status.transport = b.Transport
		}
		l.kill(err)
		l.retire()
		return nil, err
	}
	return l, nil
}

// refusedPost reports whether err is how a server of 2024-11-05 answers a POST to
// its stream's address (basic/transports, backwards compatibility).
func refusedPost(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.status/100 == 4 && status.status != http.StatusUnauthorized
}

func (u *Upstream) connectHTTP(ctx context.Context, l *link) error {
	modern, err := false, error(nil)
	if speaks(l.protocol, true) {
		modern, err = u.discover(ctx, l)
	}
	if !modern && err == nil && !speaks(l.protocol, false) {
		err = errOtherProtocol(l.protocol)
	}
	if !speaks(l.protocol, false) {
		return err
	}
	if modern || err != nil && (neverRan(err) || ctx.Err() != nil || errors.Is(err, errContradicts)) {
		return err
	}
	open := func(sl *slot) (session, serverInfo, error) { return u.initializeHTTP(l.callCtx, l, sl) }
	l.shared = &slot{link: l, open: open}
	s, info, err := u.initializeHTTP(ctx, l, l.shared)
	if err != nil {
		return err
	}
	l.info, l.shared.current = info, s
	if s.(*httpSession).id != "" {
		l.open = open
	}
	return nil
}

// discover asks for 2026-07-28 and reports whether the backend speaks it. A
// discovery that succeeds without naming that revision is not believed: some
// servers with sessions answer so, and refuse what follows.
func (u *Upstream) discover(ctx context.Context, l *link) (bool, error) {
	shared := &slot{link: l}
	s := &httpSession{endpoint: l.endpoint, owner: shared, p: Peer{Modern: true, Version: mcp.ProtocolVersion20260728}, self: u.self}
	s.settle()
	ask := func() ([]byte, error) {
		return u.step(ctx, func(ctx context.Context) ([]byte, error) {
			return u.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodServerDiscover, "")
		})
	}
	result, err := ask()
	if retriable(err) {
		if result, err = ask(); retriable(err) {
			return false, errContradicts
		}
	}
	if err != nil {
		return false, err
	}
	modern, older := false, false
	_ = wire.Elements(wire.Member(result, "supportedVersions"), func(raw []byte) error {
		version, _ := wire.Unquote(raw)
		modern = modern || version == s.p.Version
		older = older || slices.Contains(mcp.ValidProtocolVersions, version) && !mcp.IsModernProtocol(version)
		return nil
	})
	if !modern {
		return false, nil
	}
	l.older.Store(older && speaks(l.protocol, false))
	l.open = func(sl *slot) (session, serverInfo, error) { return u.openOlder(l, sl, s) }
	l.info = newServerInfo(s.p, result, wire.Member(wire.Member(result, "_meta"), mcp.MetaKeyServerInfo))
	shared.current, shared.open = s, func(*slot) (session, serverInfo, error) { return s, l.info, nil }
	l.shared = shared
	return true, nil
}

// errContradicts means that nothing can be said to a backend: it wants the revision
// that it refuses.
var errContradicts = errors.New("answers that it does not support the revision that it names, " + mcp.ProtocolVersion20260728 +
	": is one of several servers behind its address an older one?")

// retriable reports whether a refusal for the protocol revision names the very one
// that was asked for: a server that is starting, or one of several behind one address.
func retriable(err error) bool {
	var other *eraError
	var rpc *rpcError
	var m wire.Message
	if errors.As(err, &other) && m.Scan(other.answer) == nil {
		rpc = rpcErrorOf(&m)
	} else if !errors.As(err, &rpc) {
		return false
	}
	named := false
	_ = wire.Elements(wire.Member(wire.Member(rpc.object, "data"), "supported"), func(raw []byte) error {
		version, _ := wire.Unquote(raw)
		named = named || version == mcp.ProtocolVersion20260728
		return nil
	})
	return named && rpc.code == mcp.UNSUPPORTED_PROTOCOL_VERSION
}

// openOlder opens a session for a client of the revisions before 2026-07-28 at a
// backend that speaks both: there it may be asked what such a server asks its clients.
// A server that keeps no sessions then has more to offer in the newer revision, modern,
// and so has one that names revisions and refuses them.
func (u *Upstream) openOlder(l *link, sl *slot, modern session) (session, serverInfo, error) {
	s, info, err := u.initializeHTTP(l.callCtx, l, sl)
	if err == nil && s.(*httpSession).id != "" {
		return s, info, nil
	}
	if err != nil && (neverRan(err) || l.callCtx.Err() != nil) {
		return nil, serverInfo{}, err
	}
	l.older.Store(false)
	return modern, l.info, nil
}

// step runs one step of a connect or a check within its deadline.
func (u *Upstream) step(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	limit := u.patience()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result, err := f(ctx)
	if err != nil && ctx.Err() == context.DeadlineExceeded && !neverRan(err) {
		err = fmt.Errorf("%w within %v", errUnanswered, limit)
	}
	return result, err
}
