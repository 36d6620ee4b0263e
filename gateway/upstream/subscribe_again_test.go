package upstream

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// again gives what it subscribes to up and wants it again, at once, many times.
func again(t *testing.T, u *Upstream, uri string, times int) {
	t.Helper()
	for i := range times {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := u.Subscribe(ctx, uri)
		cancel()
		if err != nil {
			t.Errorf("Subscribe(%q), time %d: %v", uri, i, err)
			return
		}
		if u.Unsubscribe(uri); i%7 == 0 {
			time.Sleep(gather) // a change is seen, and acted on
		}
	}
}

// erasOfSubscriptions are backends of either era that take what begins with "ok".
func erasOfSubscriptions(t *testing.T) map[string]string {
	return map[string]string{"legacy": subscribable(t).URL, "modern": newListener(t).URL}
}

// Who gives a resource up and wants it again at once is answered, although the backend
// is not asked again.
func TestSubscribeAgain(t *testing.T) {
	for name, url := range erasOfSubscriptions(t) {
		t.Run(name, func(t *testing.T) {
			u := start(t, at(url), quick())
			awaitReady(t, u)
			again(t, u, "ok 1", 300)
		})
	}
}

// The stream that stands answers who wants again what it tells of.
func TestStandingStreamAnswers(t *testing.T) {
	b := newListener(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustSubscribe(t, u, "ok 1")
	now := &updates{list: []byte(`["ok 1"]`)}
	u.Unsubscribe("ok 1")
	e, err := u.subs.add("ok 1")
	if err != nil {
		t.Fatal(err)
	}
	u.settleHonoured([]string{"no", "ok 1"}, now.list, false)
	select {
	case <-e.settled:
	default:
		t.Error("it is not settled")
	}
	if u.subs.pending() {
		t.Error("somebody waits")
	}
	u.Unsubscribe("ok 1")
}

func TestSubscribeAgainBesideOthers(t *testing.T) {
	for name, url := range erasOfSubscriptions(t) {
		t.Run(name, func(t *testing.T) {
			u := start(t, at(url), quick())
			awaitReady(t, u)
			mustSubscribe(t, u, "ok kept")
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() { again(t, u, fmt.Sprint("ok ", i%4), 60) })
			}
			all.Wait()
		})
	}
}

// However much is given up and wanted meanwhile, a change does not wait for quiet.
func TestSubscribeModernInAStorm(t *testing.T) {
	b := newListener(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	var over atomic.Bool
	var storm sync.WaitGroup
	defer storm.Wait()
	defer over.Store(true)
	storm.Go(func() {
		for i := 0; !over.Load(); i++ {
			uri := []string{"ok storm 1", "ok storm 2"}[i%2]
			e, err := u.subs.add(uri)
			if err != nil {
				t.Error(err)
				return
			}
			u.subs.remove(uri, e)
			runtime.Gosched()
		}
	})
	for i := range 5 {
		mustSubscribe(t, u, fmt.Sprint("ok ", i))
	}
}

// A refusal is not remembered: who asks again is answered by the backend again.
func TestRefusedSubscriptionIsAskedAgain(t *testing.T) {
	legacy, modern := subscribable(t), newListener(t)
	mustSubscribeAround := func(t *testing.T, u *Upstream, asked func() int) {
		awaitReady(t, u)
		mustSubscribe(t, u, "ok")
		for i := range 20 {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			before := asked()
			var refused *RefusedError
			if err := u.Subscribe(ctx, "no"); !errors.As(err, &refused) {
				t.Errorf("time %d: %v", i, err)
			}
			cancel()
			if asked() == before {
				t.Errorf("time %d: the backend was not asked", i)
			}
		}
	}
	t.Run("legacy", func(t *testing.T) {
		mustSubscribeAround(t, start(t, at(legacy.URL), quick()), func() (n int) {
			for _, q := range legacy.asked("resources/subscribe") {
				if uriOf(q.body) == "no" {
					n++
				}
			}
			return n
		})
	})
	t.Run("modern", func(t *testing.T) {
		mustSubscribeAround(t, start(t, at(modern.URL), quick()), func() (n int) {
			streams, _, _ := modern.streams()
			for _, uris := range streams {
				if len(uris) == 2 {
					n++
				}
			}
			return n
		})
	})
}
