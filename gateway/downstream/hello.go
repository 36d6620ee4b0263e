package downstream

import (
	"bytes"
	"encoding/json"

	"mcp-gw/gateway/wire"
)

// hello is what a legacy client said when it opened its session, and all that the
// gateway has to know to take the session up again.
type hello struct {
	Scope        string          `json:"s,omitempty"` // the endpoint
	Version      string          `json:"v"`
	Capabilities json.RawMessage `json:"c,omitempty"`
	Info         json.RawMessage `json:"i,omitempty"` // its Implementation
}

// Bounds on what a client may say of itself, icons included.
const (
	maxClientInfo   = 16 << 10
	maxCapabilities = 16 << 10
	// maxSealed keeps a session's id within what servers and proxies take as a
	// header. A client that says more cannot be taken up again.
	maxSealed = 2 << 10
)

// readHello reads the params of an initialize request.
func readHello(params []byte, scope, version string) hello {
	return hello{Scope: scope, Version: version,
		Capabilities: object(wire.Member(params, "capabilities"), maxCapabilities),
		Info:         object(wire.Member(params, "clientInfo"), maxClientInfo)}
}

// object answers a copy of raw when it is an object of at most max bytes.
func object(raw []byte, max int) []byte {
	if len(raw) == 0 || raw[0] != '{' || len(raw) > max {
		return nil
	}
	return bytes.Clone(raw)
}

// sealed is the content of a session's id.
type sealed struct {
	Tag string `json:"t"`
	hello
}

// idFor makes the id of a session: its tag and what its client said, sealed. What
// of the client's introduction is only for people's eyes is left out when it is
// long.
func (t *sessions) idFor(tag string, hi hello) string {
	for _, short := range []bool{false, true} {
		if short {
			hi.Info = keep(hi.Info, "name", "version")
		}
		content, err := json.Marshal(sealed{tag, hi})
		if err == nil && len(content) <= maxSealed {
			return t.seal.Close(content, nil)
		}
	}
	return tag
}

// keep answers the object raw with only these members.
func keep(raw []byte, names ...string) []byte {
	out := []byte{'{'}
	for _, name := range names {
		value := wire.Member(raw, name)
		if value == nil || bytes.Contains(out, []byte(`"`+name+`":`)) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), `":`...), value...)
	}
	return append(out, '}')
}

// read answers what idFor put into an id, and false when the id is not the
// gateway's.
func (t *sessions) read(id string) (tag string, hi hello, ok bool) {
	if len(id) > 2*maxSealed || !t.seal.Ours(id) {
		return "", hello{}, false
	}
	content, err := t.seal.Open(id, nil)
	if err != nil {
		return "", hello{}, false
	}
	var c sealed
	if json.Unmarshal(content, &c) != nil || c.Tag == "" || !isLegacy(c.Version) {
		return "", hello{}, false
	}
	return c.Tag, c.hello, true
}
