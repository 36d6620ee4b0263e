package upstream

import (
	"bytes"
	"strconv"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// heard takes a message that came outside of a call's own stream: on the stream of
// the session, or on the one stream that HTTP+SSE has for everything.
func (sl *slot) heard(s session, m *wire.Message) {
	l := sl.link
	switch {
	case m.Kind == wire.KindResponse:
		return // to nothing that waits
	case m.Kind == wire.KindNotification && l.noticed(m):
		return
	case sl.lane == nil:
		sl.heardBySelf(s, m)
		return
	case m.Kind == wire.KindRequest && isPing(m):
		l.reply(s, m)
		return
	}
	if l.sse || l.stdio {
		sl.heardOnSharedStream(s, m)
		return
	}
	if a := sl.attempt(number(m.ProgressToken.In(m.Raw))); a != nil {
		a.overhear(m)
		return
	}
	if sl.inboxTakes(s, m) {
		return
	}
	if only, _ := sl.only(); only != nil {
		only.overhear(m)
	} else if m.Kind == wire.KindRequest {
		l.reply(s, m)
	}
}

// heardOnSharedStream takes a message that names no call, on a stream that carries
// the calls as well. A call gets it through its inbox: the stream does not wait for a
// client.
func (sl *slot) heardOnSharedStream(s session, m *wire.Message) {
	only, newest := sl.only()
	switch {
	case only != nil && s.pass(only.id, m):
	case sl.inboxTakes(s, m):
	case sl.lane.Inbox != nil && newest != nil && s.pass(newest.id, m):
	case m.Kind == wire.KindRequest:
		sl.link.reply(s, m)
	}
}

// inboxTakes gives a message to the client, as one that belongs to none of its calls.
func (sl *slot) inboxTakes(s session, m *wire.Message) bool {
	l, inbox := sl.link, sl.lane.Inbox
	if inbox == nil {
		return false
	}
	if m.Kind == wire.KindNotification {
		inbox.Notified(l.name, m)
		return true
	}
	sl.mu.Lock()
	asks := sl.asks
	sl.mu.Unlock()
	if asks == nil {
		return false // the session is being opened, and has no client yet
	}
	reply := l.replyTo(s, asks, sl.alive)
	if !inbox.Asked(l.name, m, reply.send) {
		reply.forget()
		return false
	}
	return true
}

// alive notes a sign of life for all calls in the session.
func (sl *slot) alive() {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	for _, a := range sl.running {
		a.alive()
	}
}

// heardBySelf takes what the backend sends in the gateway's own session.
func (sl *slot) heardBySelf(s session, m *wire.Message) {
	l := sl.link
	switch {
	case m.Kind == wire.KindRequest && l.stdio && !l.perClient:
		l.reply(s, m) // it may belong to any client's call
	case m.Kind == wire.KindRequest:
		l.replyAsSelf(s, m)
	case m.Method == "notifications/resources/updated" && l.cfg.Updated != nil:
		l.cfg.Updated(l.name, m)
	}
}

// noticed takes the notifications that concern the backend and no client.
func (l *link) noticed(m *wire.Message) bool {
	switch m.Method {
	case "notifications/tools/list_changed":
		l.changed(of(catalog.Tools))
	case "notifications/prompts/list_changed":
		l.changed(of(catalog.Prompts))
	case "notifications/resources/list_changed":
		l.changed(of(catalog.Resources) | of(catalog.Templates))
	default:
		return false
	}
	return true
}

// number reads an id or token of the gateway's own; 0 is none.
func number(raw []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
