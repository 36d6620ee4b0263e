package upstream

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Check is one look at whether a backend is there.
type Check struct {
	At time.Time
	// What was asked: CheckConnect, or the method.
	What mcp.MCPMethod
	Took time.Duration
	// Err says why it failed; empty: it did not.
	Err string
}

// CheckConnect is the making of a connection, with the first listing.
const CheckConnect mcp.MCPMethod = "connect"

const (
	// maxChecks is how many checks of a backend are kept.
	maxChecks = 60
	// burst is how long failed connects in a row count as one: a server that is
	// starting is asked five times a second, and its history is not about that.
	burst = 5 * time.Second
)

// checked notes a check. Only Run's goroutine calls it.
func (u *Upstream) checked(start time.Time, what mcp.MCPMethod, err error) {
	c := Check{At: start, What: what, Took: time.Since(start)}
	if err != nil {
		c.Err = explain(context.Background(), err)
	}
	var kept []Check
	if p := u.checks.Load(); p != nil {
		kept = *p
	}
	if n := len(kept); n > 0 && c.Err != "" && what == CheckConnect {
		if last := kept[n-1]; last.Err != "" && last.What == what && start.Sub(last.At) < burst {
			c.At, kept = last.At, kept[:n-1]
		}
	}
	kept = kept[max(0, len(kept)+1-maxChecks):]
	all := append(append(make([]Check, 0, len(kept)+1), kept...), c)
	u.checks.Store(&all)
}

// prompt is how long a check may take that is not worth a word.
const prompt = time.Second

// well reports whether the last check was answered, and in good time.
func (u *Upstream) well() bool {
	all := u.checks.Load()
	if all == nil || len(*all) == 0 {
		return true
	}
	last := (*all)[len(*all)-1]
	return last.Err == "" && last.Took < prompt
}
