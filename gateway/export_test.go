package gateway

import "time"

// SetHold makes lost backends' tools stay listed for d. It is for before Run.
func (g *Gateway) SetHold(d time.Duration) { g.hold = d }

// Drawn answers a scope as clients see it now.
func (g *Gateway) Drawn(name string) any { return g.view.Load().Scopes[name] }
