package upstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// initializeHTTP opens a session of the revisions up to 2025-11-25.
func (u *Upstream) initializeHTTP(ctx context.Context, l *link, sl *slot) (session, serverInfo, error) {
	s := &httpSession{endpoint: l.endpoint, owner: sl, self: u.self}
	var result []byte
	_, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		body := getBuffer()
		defer body.release()
		body.b = appendLegacy(body.b, 1, string(mcp.MethodInitialize), u.initializeParams(l, sl.lane))
		header, err := l.endpoint.post(ctx, make(http.Header, 8), body, 1, awaitResult(s, &result))
		if header != nil {
			s.id = header.Get("Mcp-Session-Id")
		}
		return nil, err
	})
	if err != nil {
		return nil, serverInfo{}, err
	}
	info, err := readInitialize(result)
	if err == nil {
		s.p = info.peer
		err = u.initialized(ctx, s)
	}
	if err != nil {
		_, _ = u.step(ctx, func(ctx context.Context) ([]byte, error) { s.close(ctx); return nil, nil })
		return nil, serverInfo{}, err
	}
	return s.settle(), info, nil
}

// connectSSE opens a session over HTTP+SSE.
func (u *Upstream) connectSSE(ctx context.Context, l *link) error {
	l.sse = true
	open := func(sl *slot) (session, serverInfo, error) { return u.initializeSSE(l.callCtx, l, sl) }
	l.shared = &slot{link: l, open: open}
	s, info, err := u.initializeSSE(ctx, l, l.shared)
	if err != nil {
		return err
	}
	l.info, l.shared.current, l.open = info, s, open
	return nil
}

func (u *Upstream) initializeSSE(ctx context.Context, l *link, sl *slot) (session, serverInfo, error) {
	s, err := openSSE(ctx, sl)
	if err != nil {
		return nil, serverInfo{}, err
	}
	var info serverInfo
	result, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, 1, mcp.MethodInitialize, u.initializeParams(l, sl.lane))
	})
	if err == nil {
		info, err = readInitialize(result)
	}
	if err == nil {
		s.settle(info.peer)
		err = u.initialized(ctx, s)
	}
	if err != nil {
		s.stream.Close()
		return nil, serverInfo{}, err
	}
	return s, info, nil
}

// initializeParams introduces the client of lane, or the gateway itself where that is
// nil.
func (u *Upstream) initializeParams(l *link, lane *Lane) string {
	version, capabilities, info := cmp.Or(l.protocol, mcp.ProtocolVersion20251125), ownCapabilities, u.self.info
	if lane != nil {
		capabilities = "{}"
		if lane.Version != "" && l.protocol == "" {
			quoted, _ := json.Marshal(lane.Version)
			version = string(quoted[1 : len(quoted)-1])
		}
		if len(lane.Capabilities) > 0 {
			capabilities = string(lane.Capabilities)
		}
		if len(lane.Info) > 0 {
			info = string(lane.Info)
		}
	}
	return `"protocolVersion":"` + version + `","capabilities":` + capabilities + `,"clientInfo":` + info
}

func (u *Upstream) initialized(ctx context.Context, s session) error {
	_, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		body := getBuffer()
		defer body.release()
		body.b = append(body.b, `{"jsonrpc":"2.0","method":"notifications/initialized"}`...)
		return nil, s.notify(ctx, body)
	})
	return err
}

// errRevision means that a backend offers a revision that the gateway does not speak.
var errRevision = errors.New("offers protocol revision")

// errUnanswered means that a backend can be reached, and is silent.
var errUnanswered = errors.New("accepted the connection and did not answer")

func readInitialize(result []byte) (serverInfo, error) {
	if result == nil {
		return serverInfo{}, errNoMessage
	}
	version, _ := wire.Unquote(wire.Member(result, "protocolVersion"))
	if !slices.Contains(mcp.ValidProtocolVersions, version) || mcp.IsModernProtocol(version) {
		return serverInfo{}, fmt.Errorf("%w %q; supported are %s", errRevision, version, strings.Join(mcp.ValidProtocolVersions, ", "))
	}
	return newServerInfo(Peer{Version: version}, result, wire.Member(result, "serverInfo")), nil
}
