package gateway

import "time"

// SetHold makes lost backends' tools stay listed for d. It is for before Run.
func (g *Gateway) SetHold(d time.Duration) { g.hold = d }

// SetClock makes how backends are a matter of now, and looks at them every so often. It
// is for before Run.
func (g *Gateway) SetClock(now func() time.Time, often time.Duration) { g.now, g.aging = now, often }

// Drawn answers a scope as clients see it now.
func (g *Gateway) Drawn(name string) any { return g.view.Load().Scopes[name] }

// Means reports whether two tools say the same.
func Means(a, b []byte) bool { return means(a, b) }
