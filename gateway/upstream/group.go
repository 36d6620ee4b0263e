package upstream

import "sync"

// group owns goroutines, or calls, that may come while it is being closed: a
// WaitGroup must not grow from zero while somebody waits for it.
type group struct {
	mu     sync.Mutex // guards closed, and every Add
	closed bool
	wg     sync.WaitGroup
}

// enter counts one more, or answers false when the group was closed. leave ends
// what enter began.
func (g *group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.wg.Add(1)
	}
	return !g.closed
}

func (g *group) leave() { g.wg.Done() }

// start runs f in a goroutine, or answers false when the group was closed.
func (g *group) start(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Go(f)
	return true
}

// close refuses new ones and waits for those that run.
func (g *group) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
}
