package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
)

// listing is what one round of listing brought.
type listing struct {
	lists [catalog.Kinds]*list // nil where it was not asked for, or failed
	errs  [catalog.Kinds]error
	took  time.Duration // of the tools
}

// listAll reads the lists of the kinds wanted, side by side. Other lists than the
// tools' get less time when first is true: the tools wait for them.
func (u *Upstream) listAll(ctx context.Context, l *link, want kinds, first bool) *listing {
	got := &listing{}
	var work sync.WaitGroup
	for k := range catalog.Kinds {
		if !want.has(k) {
			continue
		}
		work.Go(func() {
			limit := 4 * u.patience()
			if first && k != catalog.Tools {
				limit = u.patience()
			}
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			start := time.Now()
			got.lists[k], got.errs[k] = u.fetch(ctx, l, k)
			if k == catalog.Tools {
				got.took = time.Since(start)
			}
			if got.errs[k] != nil && ctx.Err() == context.DeadlineExceeded {
				got.errs[k] = fmt.Errorf("%s: no answer within %v", lists[k].method, limit)
			}
		})
	}
	work.Wait()
	return got
}

// firstListing lists what a new link has. Only the tools' list can fail it: other lists
// that do must not cost the tools.
func (u *Upstream) firstListing(ctx context.Context, l *link) (*listing, error) {
	offered := l.info.offered()
	got := u.listAll(ctx, l, offered, true)
	for k := range catalog.Kinds {
		if !offered.has(k) {
			got.lists[k] = &list{} // an earlier one of its generations may have had some
		}
	}
	return got, got.errs[catalog.Tools]
}

// adopt puts what was listed into the offer o, and answers the kinds that changed. A
// list that failed stays as it was, with a remark.
func (u *Upstream) adopt(o *Offer, got *listing) (changed kinds) {
	for k := range catalog.Kinds {
		read, err := got.lists[k], got.errs[k]
		if err != nil && k != catalog.Tools {
			u.unlisted |= of(k)
			read = &list{items: *o.items(k), hint: o.Hints[k], remarks: []discovery.Diagnostic{{
				Severity: discovery.SeverityWarning, Code: codeLeftOut,
				Message:    fmt.Sprintf("the %s cannot be listed: %s", lists[k].many, explain(context.Background(), err)),
				Suggestion: "look at the server's log; the list is asked for again with the next check"}}}
		} else if read == nil {
			continue
		} else {
			u.unlisted &^= of(k)
		}
		if !slices.Equal(u.remarks[k], read.remarks) || o.Hints[k] != read.hint {
			changed |= of(k)
		}
		if k == catalog.Tools {
			if !slices.EqualFunc(o.Tools, read.tools, func(a, b Tool) bool { return bytes.Equal(a.Raw, b.Raw) }) {
				o.Tools, changed = read.tools, changed|of(k)
			}
		} else if items := o.items(k); !slices.EqualFunc(*items, read.items, func(a, b catalog.Item) bool { return bytes.Equal(a.Raw, b.Raw) }) {
			*items, changed = read.items, changed|of(k)
		}
		u.remarks[k], o.Hints[k] = read.remarks, read.hint
	}
	return changed
}

// items answers the list of a kind that is not Tools.
func (o *Offer) items(k catalog.Kind) *[]catalog.Item {
	switch k {
	case catalog.Prompts:
		return &o.Prompts
	case catalog.Resources:
		return &o.Resources
	default:
		return &o.Templates
	}
}

// count answers how many of a kind there are.
func (o *Offer) count(k catalog.Kind) int {
	if k == catalog.Tools {
		return len(o.Tools)
	}
	return len(*o.items(k))
}

// hearChange notes that the backend says that lists of its changed.
func (u *Upstream) hearChange(ks kinds) {
	u.announced.Or(uint32(ks))
	u.relist.ring()
}

// doubt notes that the backend was restarted, most likely: all lists may have changed.
func (u *Upstream) doubt() {
	u.stale.Or(uint32(allKinds))
	u.relist.ring()
}

// renewed notes that the gateway's own session is a new one, which knows of no
// subscription.
func (u *Upstream) renewed() {
	u.doubt()
	u.subs.changed.ring()
}

// allRemarks answers the remarks on all lists, and on the connection.
func (u *Upstream) allRemarks(l *link) []discovery.Diagnostic {
	remarks := slices.Concat(u.remarks[:]...)
	if r, stands := l.endpoint.hostRemark(); stands {
		remarks = append(remarks, r)
	}
	if l.hearsay != nil {
		remarks = append(remarks, l.hearsay.remarks()...)
	}
	return remarks
}

// relistNow lists some kinds again and publishes what changed, and which of them the
// backend announced. Its error is one of the connection: a list that makes no sense is
// the backend's own affair.
func (u *Upstream) relistNow(ctx context.Context, l *link, want, announced kinds) error {
	got := u.listAll(ctx, l, want&l.info.offered(), false)
	for k, err := range got.errs {
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		if u.unlisted.has(catalog.Kind(k)) {
			continue // said before
		}
		u.log.Warn("backend's "+lists[k].many+" cannot be listed again; the last list stands", "err", err)
	}
	offer := u.State().Offer
	changed := u.adopt(&offer, got)
	if changed|announced != 0 {
		remarks := u.allRemarks(l)
		u.publish(func(s *State) {
			s.Offer, s.Remarks = offer, remarks
			for k := range catalog.Kinds {
				if announced.has(k) {
					s.Announced[k]++
				}
			}
		})
	}
	for k := range catalog.Kinds {
		if changed.has(k) {
			many := lists[k].many
			u.note("info", fmt.Sprintf("%s changed — %d %s", title(many), offer.count(k), many), true)
		}
	}
	return errors.Join(got.errs[:]...)
}

func title(s string) string { return string(s[0]-'a'+'A') + s[1:] }
