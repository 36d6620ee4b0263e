package discovery

import "time"

// UntilBeat answers how long it is to the next moment that is a multiple of d. What many
// do every so often, each for itself, is done together that way: a process that has
// nothing else to do wakes up seldom.
func UntilBeat(now time.Time, d time.Duration) time.Duration {
	return now.Truncate(d).Add(d).Sub(now.Round(0))
}
