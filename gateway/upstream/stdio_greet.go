package upstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// sharedCapabilities are declared to a process that all clients share. It can ask
// none of them, because nothing in its requests tells whose call they belong to.
const sharedCapabilities = `{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`

// greetStdio finds out what the process speaks: initialize first, because there are
// servers that end when they are asked anything else before it, and server/discover
// where that says that it is of another era.
func (u *Upstream) greetStdio(ctx context.Context, l *link, s *stdioSession) (serverInfo, error) {
	params := `"protocolVersion":"` + mcp.ProtocolVersion20251125 + `","capabilities":` + sharedCapabilities + `,"clientInfo":` + u.self.info
	if l.perClient {
		params = u.initializeParams(l, s.owner.lane)
	}
	result, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodInitialize, params)
	})
	var rpc *rpcError
	if errors.As(err, &rpc) {
		if rpc.code == mcp.UNSUPPORTED_PROTOCOL_VERSION || rpc.code == mcp.METHOD_NOT_FOUND {
			if info, ok := u.discoverStdio(ctx, l, s); ok {
				return info, nil
			}
		}
		return serverInfo{}, &notAgainError{rpc}
	}
	if err != nil {
		return serverInfo{}, err
	}
	info, err := readInitialize(result)
	if err != nil {
		return serverInfo{}, err
	}
	s.settle(info.peer)
	return info, u.initialized(ctx, s)
}

// discoverStdio asks for 2026-07-28.
func (u *Upstream) discoverStdio(ctx context.Context, l *link, s *stdioSession) (serverInfo, bool) {
	p := Peer{Modern: true, Version: mcp.ProtocolVersion20260728}
	s.settle(p)
	result, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodServerDiscover, "")
	})
	if err != nil {
		return serverInfo{}, false
	}
	modern := false
	_ = wire.Elements(wire.Member(result, "supportedVersions"), func(raw []byte) error {
		version, _ := wire.Unquote(raw)
		modern = modern || version == p.Version
		return nil
	})
	return newServerInfo(p, result, wire.Member(wire.Member(result, "_meta"), mcp.MetaKeyServerInfo)), modern
}

// notAgainError means that a process refuses to be greeted: most often one that had
// a session and takes no second one.
type notAgainError struct{ refusal *rpcError }

func (e *notAgainError) Error() string {
	return fmt.Sprintf("refused initialize (%v): does it take only one session? Restart its container (docker restart), "+
		"and run it under a wrapper that starts one process a session if that happens again", e.refusal)
}

func (e *notAgainError) Unwrap() error { return e.refusal }
