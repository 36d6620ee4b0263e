package journal

import (
	"net"
	"slices"
	"time"
)

// maxRefused is how many refusals are kept.
const maxRefused = 20

// Refusal is a request that was turned away before it could be one of a client.
type Refusal struct {
	At        string `json:"at"`
	Address   string `json:"address"`
	UserAgent string `json:"userAgent,omitempty"`
	Status    int    `json:"status"`
	Reason    string `json:"reason"`
	// Code is a stable word.
	Code string `json:"code"`
}

type refusal struct {
	Refusal
	number uint64
}

// Refused notes a request that was turned away. The same again, as of a client that
// tries for ever, takes the place of the one before.
func (j *Journal) Refused(r Refusal) {
	r.At = stamp(time.Now())
	r.UserAgent, r.Reason = tidy(r.UserAgent), RedactText(clipTo(r.Reason, maxErrorText))
	if host, _, err := net.SplitHostPort(r.Address); err == nil {
		r.Address = host
	}
	t := &j.clients
	t.mu.Lock()
	t.refusals++
	t.refused = slices.DeleteFunc(t.refused, func(o refusal) bool {
		return o.Address == r.Address && o.UserAgent == r.UserAgent && o.Code == r.Code && o.Reason == r.Reason
	})
	if len(t.refused) >= maxRefused {
		t.refused = slices.Delete(t.refused, 0, 1)
	}
	t.refused = append(t.refused, refusal{r, t.refusals})
	t.mu.Unlock()
	j.ringWatchers()
}
