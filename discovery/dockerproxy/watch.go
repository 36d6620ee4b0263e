package dockerproxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// guard is the watchdog's patience.
type guard struct {
	every time.Duration // between two looks
	stale time.Duration // how long the socket may lead nowhere
}

var usualGuard = guard{every: 3 * time.Second, stale: 15 * time.Second}

// watch returns an error when the socket has led nowhere for too long. A socket
// that was mounted as a file stays what it was when the engine makes another at
// the same place, and no patience helps: only a container that starts anew has
// the new one. So the process ends, and its restart policy does that. Whether the
// engine is only down cannot be told from here, and does no harm: it restarts the
// container when it is back.
func (p *Proxy) watch(ctx context.Context) error {
	tick := time.NewTicker(p.guard.every)
	defer tick.Stop()
	var since time.Time
	for {
		conn, err := p.engine.dial(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			_ = conn.Close()
			if !since.IsZero() {
				p.log.Info("the engine's socket leads somewhere again", "socket", p.engine.socket)
			}
			since = time.Time{}
		case !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist):
			// Permissions and the like: a restart would mend nothing.
			p.told.trouble(p.engine.explain(err))
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
			p.log.Warn("the engine's socket leads nowhere", "socket", p.engine.socket, "err", err.Error())
		case time.Since(since) >= p.guard.stale:
			return fmt.Errorf("%s has led nowhere for %v (%w). If the engine runs, it made its socket anew and the one mounted here is stale: "+
				"ending, so that the restart policy mounts the new one. Mounting the socket's directory avoids this", p.engine.socket, p.guard.stale, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
