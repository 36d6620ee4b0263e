package gateway

import "time"

// SetHold makes lost backends' tools stay listed for d. It is for before Run.
func (g *Gateway) SetHold(d time.Duration) { g.hold = d }
