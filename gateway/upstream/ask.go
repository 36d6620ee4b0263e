package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// self is how the gateway introduces itself: raw JSON of an Implementation.
type self struct{ info string }

func newSelf(version string) self {
	info, _ := json.Marshal(mcp.Implementation{Name: "mcp-gateway", Version: version})
	return self{string(info)}
}

// appendRequest appends a request of the gateway's own in the form of 2026-07-28.
// members are those of params, without braces.
func (f self) appendRequest(dst []byte, id int64, method, members string) []byte {
	dst = strconv.AppendInt(append(dst, `{"jsonrpc":"2.0","id":`...), id, 10)
	dst = append(append(append(dst, `,"method":"`...), method...), `","params":{`...)
	if members != "" {
		dst = append(append(dst, members...), ',')
	}
	dst = append(dst, `"_meta":{"`+mcp.MetaKeyProtocolVersion+`":"`+mcp.ProtocolVersion20260728+
		`","`+mcp.MetaKeyClientInfo+`":`...)
	return append(append(dst, f.info...), `,"`+mcp.MetaKeyClientCapabilities+`":{}}}}`...)
}

// appendLegacy appends a request of the gateway's own in the form before that.
func appendLegacy(dst []byte, id int64, method, members string) []byte {
	dst = strconv.AppendInt(append(dst, `{"jsonrpc":"2.0","id":`...), id, 10)
	dst = append(append(append(dst, `,"method":"`...), method...), '"')
	if members != "" {
		dst = append(append(append(dst, `,"params":{`...), members...), '}')
	}
	return append(dst, '}')
}

// ask sends a request of the gateway's own and answers a copy of the result.
func (f self) ask(ctx context.Context, s session, id int64, method mcp.MCPMethod, members string) ([]byte, error) {
	body := getBuffer()
	defer body.release()
	h := make(http.Header, 8)
	if s.peer().Modern {
		body.b = f.appendRequest(body.b, id, string(method), members)
		h["Mcp-Method"] = []string{string(method)}
	} else {
		body.b = appendLegacy(body.b, id, string(method), members)
	}
	var result []byte
	err := s.do(ctx, h, body, id, awaitResult(s, &result))
	return result, err
}

// awaitResult takes what comes on the way of a request of the gateway's own: the answer
// goes to result as a copy, or is the error; the rest is for s to hear.
func awaitResult(s session, result *[]byte) func(*wire.Message) error {
	return func(m *wire.Message) error {
		if m.Kind != wire.KindResponse {
			s.hear(m)
			return nil
		}
		if m.Error.Present() {
			return rpcErrorOf(m)
		}
		*result = bytes.Clone(m.Result.In(m.Raw))
		return nil
	}
}

func rpcErrorOf(m *wire.Message) *rpcError {
	code, _ := strconv.Atoi(string(m.Code.In(m.Raw)))
	text, _ := wire.Unquote(wire.Member(m.Error.In(m.Raw), "message"))
	return &rpcError{code, text, bytes.Clone(m.Error.In(m.Raw))}
}

func appendCancelled(dst []byte, id int64) []byte {
	dst = strconv.AppendInt(append(dst, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`...), id, 10)
	return append(dst, `,"reason":"the client does not wait any more"}}`...)
}
