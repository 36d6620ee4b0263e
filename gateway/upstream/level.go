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
	within, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	defer cancel()
	quoted, _ := json.Marshal(want)
	_, err := l.self.ask(within, s, l.nextID.Add(1), mcp.MethodSetLogLevel, `"level":`+string(quoted))
	if err != nil {
		l.cfg.Log.Debug("backend refuses the log level", "backend", l.name, "level", want, "err", err)
	}
	sl.mu.Lock()
	if sl.leveling = nil; err != nil && ctx.Err() != nil && sl.told == want {
		sl.told = "" // who waited for it left too soon
	}
	sl.mu.Unlock()
	close(done)
}

// SyncLevel tells the open sessions of lane key the level that its client wants now,
// and does not wait.
func (u *Upstream) SyncLevel(key string) {
	l := u.State().link
	if l == nil {
		return
	}
	for _, sl := range l.openSlots(key) {
		if sl.syncing.CompareAndSwap(false, true) && !l.work.start(sl.syncLevel) {
			sl.syncing.Store(false)
		}
	}
}

// syncLevel tells the level until what was told last is what is wanted: however often
// that changes meanwhile, one goroutine sees to it.
func (sl *slot) syncLevel() {
	for {
		want, s := sl.lane.Level(), sl.session()
		if s != nil {
			sl.level(sl.link.ctx, s, want)
		}
		sl.syncing.Store(false)
		if sl.lane.Level() == want || sl.link.ctx.Err() != nil || !sl.syncing.CompareAndSwap(false, true) {
			return
		}
	}
}
