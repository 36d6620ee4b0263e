package docker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"mcp-gw/discovery"
)

// Examine looks at the engine once, as a gateway with this configuration would, and
// reports what it would see and do. It waits for the first set, for a reason why
// there is none, or for ctx.
func Examine(ctx context.Context, cfg Config) discovery.Report {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := New(cfg)
	p.once = true
	first := p.Report().Engine.Error
	put := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() { _ = p.Run(ctx, onFirstPut(sync.OnceFunc(func() { close(put) }))) }) // it returns nil
	defer ended.Wait()
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-put:
			return p.Report()
		case <-ctx.Done():
			return p.Report()
		case <-poll.C:
			if r := p.Report(); !r.Engine.Connected && r.Engine.Error != first {
				return r
			}
		}
	}
}

type onFirstPut func()

func (f onFirstPut) Put(string, []discovery.Backend) { f() }

// SocketFacts says who may open the engine's socket, and who asks: "" where host is
// no socket of this machine.
func SocketFacts(host string) string {
	if host == "" {
		host = DefaultHost()
	}
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Sprintf("%s is not there", path)
	}
	s := lookAt(path)
	if s.isDir {
		return fmt.Sprintf("%s is a directory", path)
	}
	return fmt.Sprintf("%s belongs to uid %d, gid %d, mode %04o; this process is uid %d, groups %s",
		path, s.uid, s.gid, s.mode.Perm(), s.ownUID, strings.Trim(fmt.Sprint(s.groups), "[]"))
}
