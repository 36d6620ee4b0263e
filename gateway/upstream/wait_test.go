package upstream

import (
	"testing"
	"time"

	"mcp-gw/discovery"
)

// Most servers listen within some milliseconds after their container has started, some
// take seconds, and one that stays away is not to be asked for ever.
func TestWaitsBetweenAttempts(t *testing.T) {
	u, b := &Upstream{}, &discovery.Backend{}
	var all time.Duration
	at := map[int]time.Duration{} // when each attempt comes at the latest, after the first
	for u.attempts = 1; u.attempts <= slowAttempts+1; u.attempts++ {
		d := u.delay(b)
		if d < firstDelay {
			t.Errorf("after attempt %d: %v", u.attempts, d)
		}
		all += d
		at[u.attempts+1] = all
	}
	for attempt, want := range map[int]time.Duration{2: 25 * time.Millisecond, 5: 400 * time.Millisecond,
		quickAttempts: 11 * time.Second, slowAttempts: 80 * time.Second} {
		if at[attempt] > want {
			t.Errorf("attempt %d comes after %v, want %v at most", attempt, at[attempt], want)
		}
	}
	if last := u.delay(b); last < 30*time.Second {
		t.Errorf("after attempt %d: %v", u.attempts, last)
	}
}
