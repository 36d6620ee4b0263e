package upstream

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

// level tells the backend from which level on the client wants log messages in
// session s, if the backend can be told and was told otherwise. A refusal is no
// matter of the request that waits for it.
func (sl *slot) level(ctx context.Context, s session, want string) {
	if want == "" || s.peer().Modern { // there it is in each request
		return
	}
	sl.mu.Lock()
	for sl.leveling != nil {
		wait := sl.leveling
		sl.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return
		}
		sl.mu.Lock()
	}
	if !sl.logs || sl.told == want || sl.current != s {
		sl.mu.Unlock()
		return
	}
	done := make(chan struct{})
	sl.leveling, sl.told = done, want
	sl.mu.Unlock()

	l := sl.link
	ctx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	defer cancel()
	quoted, _ := json.Marshal(want)
	if _, err := l.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodSetLogLevel, `"level":`+string(quoted)); err != nil {
		l.cfg.Log.Debug("backend refuses the log level", "backend", l.name, "level", want, "err", err)
	}
	sl.mu.Lock()
	sl.leveling = nil
	sl.mu.Unlock()
	close(done)
}

// SyncLevel tells the open sessions of lane key the level that its client wants now,
// and does not wait.
func (u *Upstream) SyncLevel(key string) {
	if l := u.State().link; l != nil {
		l.eachOpen(key, func(ctx context.Context, sl *slot, s session) { sl.level(ctx, s, sl.lane.Level()) })
	}
}
