package downstream

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// maxLanes bounds the kinds of modern clients that are remembered.
const maxLanes = 1000

// maxLevel is more than any level is long.
const maxLevel = 40

// lanes are what backends with sessions know of modern clients, which have none: one
// lane for all requests of one principal that say the same of their client.
type lanes struct {
	mu    sync.RWMutex // guards byKey
	byKey map[string]*upstream.Lane
}

// client answers who sends a modern request. A client can do what its request says,
// and only that is ever asked of it.
func (t *lanes) client(r *http.Request, m *wire.Message) bridge.Client {
	c := bridge.Client{Modern: true, Header: r.Header, Capabilities: m.MetaCapabilities.In(m.Raw)}
	if auth := r.Header["Authorization"]; len(auth) > 0 {
		c.Principal = digest(auth[0])
	}
	info := m.MetaClientInfo.In(m.Raw)
	level := m.MetaLogLevel.In(m.Raw)
	capabilities := c.Capabilities
	if len(capabilities) > maxCapabilities || len(info) > maxClientInfo || len(level) > maxLevel {
		capabilities, info, level = nil, nil, nil // the key is kept
	}
	var scratch [512]byte
	key := append(append(scratch[:0], c.Principal...), 0)
	key = append(append(key, capabilities...), 0)
	key = append(append(key, level...), 0)
	key = append(key, info...)
	t.mu.RLock()
	c.Lane = t.byKey[string(key)]
	t.mu.RUnlock()
	if c.Lane == nil {
		c.Lane = t.add(string(key), capabilities, level, info)
	}
	return c
}

// digest tells secrets apart without being one.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:8])
}

func (t *lanes) add(key string, capabilities, level, info []byte) *upstream.Lane {
	sum := sha256.Sum256([]byte(key))
	l := &upstream.Lane{Key: "modern:" + hex.EncodeToString(sum[:12]), Modern: true, Capabilities: legacyCapabilities(capabilities),
		Info: object(info, maxClientInfo)}
	if text, _ := wire.Unquote(level); slices.Contains(levels, text) {
		l.SetLevel(text)
		l.Exclusive = true
	}
	l.Exclusive = l.Exclusive || bridge.Asks(l.Capabilities)
	t.mu.Lock()
	defer t.mu.Unlock()
	if there := t.byKey[key]; there != nil {
		return there
	}
	if t.byKey == nil || len(t.byKey) >= maxLanes { // they are made again as they are needed
		t.byKey = map[string]*upstream.Lane{}
	}
	t.byKey[strings.Clone(key)] = l
	return l
}

// withoutTasks is the object raw without the extension that only the other era has in
// the same form.
func withoutTasks(raw []byte) []byte {
	ext := wire.Find(raw, "extensions")
	if !ext.Present() || wire.Member(ext.In(raw), tasksExtension) == nil {
		return raw
	}
	left := wire.WithoutMember(ext.In(raw), tasksExtension)
	if string(left) == "{}" {
		return wire.WithoutMember(raw, "extensions")
	}
	return wire.Splice(nil, raw, wire.Edit{Span: ext, New: left})
}

// legacyCapabilities are those of a modern client's capabilities that revisions with
// sessions know.
func legacyCapabilities(raw []byte) []byte {
	if len(raw) > maxCapabilities {
		return nil
	}
	return plainRoots(withoutTasks(keep(raw, "elicitation", "sampling", "roots", "experimental", "extensions")))
}
