package downstream

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// maxWaitingUpdates bounds the updates that wait for a slow client; the resource is
// read anew anyway, so that one lost among many costs nothing.
const maxWaitingUpdates = 256

// listening is one subscriptions/listen (2026-07-28, basic/utilities/subscriptions).
type listening struct {
	meta    string // the subscription's id, in every message
	kinds   [catalog.Kinds]bool
	subs    []*sub
	updates chan []byte
}

// listen serves subscriptions/listen: acknowledges what it honours, then sends it
// until the client leaves, every message under the id of the request.
func (h *Handler) listen(w http.ResponseWriter, r *http.Request, m *wire.Message, scope *Scope, who *journal.Client) {
	id := m.ID.In(m.Raw)
	filter := m.Notifications.In(m.Raw)
	if len(filter) == 0 || filter[0] != '{' {
		h.refuse(w, http.StatusBadRequest, id, mcp.INVALID_PARAMS, `subscriptions/listen needs an object "notifications" in its params`)
		return
	}
	l := &listening{meta: `"_meta":{"` + mcp.MetaKeySubscriptionID + `":` + string(id) + `}`, updates: make(chan []byte, maxWaitingUpdates)}
	seen := scope.Versions
	honoured := l.choose(filter)
	if uris := h.watch(r.Context(), l, wire.Member(filter, "resourceSubscriptions"), scope); len(uris) > 0 {
		honoured = append(honoured, `"resourceSubscriptions":[`+strings.Join(uris, ",")+`]`)
	}
	defer func() {
		for _, s := range l.subs {
			h.watches.remove(s)
		}
	}()
	defer h.cfg.Journal.Streams(who)()
	startStream(w)
	defer endStream(w)
	ack := `{"jsonrpc":"2.0","method":"` + mcp.MethodNotificationSubscriptionsAcknowledged + `","params":{` + l.meta +
		`,"notifications":{` + strings.Join(honoured, ",") + `}}}`
	if event(w, []byte(ack)) != nil {
		return
	}
	if h.send(r.Context(), w, l, scope.Name, seen) {
		_ = event(w, []byte(`{"jsonrpc":"2.0","id":`+string(id)+`,"result":{"resultType":"complete",`+l.meta+`}}`))
	}
}

// choose notes which lists the client wants to hear of, and answers the members that
// acknowledge them.
func (l *listening) choose(filter []byte) (honoured []string) {
	for _, f := range [...]struct {
		name  string
		kinds []catalog.Kind
	}{
		{"toolsListChanged", []catalog.Kind{catalog.Tools}},
		{"promptsListChanged", []catalog.Kind{catalog.Prompts}},
		{"resourcesListChanged", []catalog.Kind{catalog.Resources, catalog.Templates}},
	} {
		if string(wire.Member(filter, f.name)) != "true" {
			continue
		}
		honoured = append(honoured, `"`+f.name+`":true`)
		for _, k := range f.kinds {
			l.kinds[k] = true
		}
	}
	return honoured
}

// watch subscribes to the resources that the filter names, and answers those that it
// could, as JSON.
func (h *Handler) watch(ctx context.Context, l *listening, uris []byte, scope *Scope) (honoured []string) {
	seen := map[string]bool{}
	_ = wire.Elements(uris, func(raw []byte) error {
		uri, ok := wire.Unquote(raw)
		if !ok || seen[uri] || len(seen) >= maxSubs {
			return nil
		}
		seen[uri] = true
		routes, _ := h.resourceRoutes(string(mcp.MethodResourcesSubscribe), uri, scope)
		for _, route := range routes {
			s := &sub{resource: resource{route.Backend, route.Name}, exposed: uri, updated: l.update}
			if h.watches.add(ctx, s) == nil {
				l.subs = append(l.subs, s)
				honoured = append(honoured, string(raw))
				break
			}
		}
		return nil
	})
	return honoured
}

// update keeps a notification until the stream takes it.
func (l *listening) update(message []byte) {
	var m wire.Message
	if m.Scan(message) != nil {
		return
	}
	id := []byte(l.meta[len(`"_meta":{`) : len(l.meta)-1])
	edit := wire.Insert(m.Raw, m.Params, []byte(l.meta))
	if m.Meta.Present() {
		edit = wire.Insert(m.Raw, m.Meta, id)
	}
	select {
	case l.updates <- wire.Splice(nil, bytes.Clone(m.Raw), edit):
	default:
	}
}

// send writes what the client listens for, and comments while nothing happens. It
// reports whether the gateway ended the stream.
func (h *Handler) send(ctx context.Context, w http.ResponseWriter, l *listening, scope string, seen [catalog.Kinds]uint64) bool {
	bell, leave := h.hub.join()
	defer leave()
	tick := time.NewTicker(h.cfg.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-bell:
			now := h.core.View().scope(scope).Versions
			wanted := now
			for k := range wanted {
				if !l.kinds[k] {
					wanted[k] = seen[k]
				}
			}
			for _, method := range changes(seen, wanted) {
				if event(w, []byte(`{"jsonrpc":"2.0","method":"`+method+`","params":{`+l.meta+`}}`)) != nil {
					return false
				}
			}
			seen = now
		case update := <-l.updates:
			if event(w, update) != nil {
				return false
			}
		case <-tick.C:
			if writeStream(w, comment) != nil {
				return false
			}
		case <-ctx.Done():
			return false
		case <-h.ending:
			return true
		}
	}
}
