package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// Whatever becomes of the replicas, no call runs twice, none fails while one of them is
// there but those that a process may have begun when it was killed, and their errors
// name it.
func TestNoCallRunsTwice(t *testing.T) {
	for _, balance := range []discovery.Balance{discovery.BalanceSticky, discovery.BalanceLeastBusy} {
		for _, modern := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, modern %t", balance, modern), func(t *testing.T) { storm(t, balance, modern) })
		}
	}
}

func storm(t *testing.T, balance discovery.Balance, modern bool) {
	const replicas, clients = 4, 8
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	all := make([]*process, replicas)
	for i := range all {
		all[i] = newProcess(t, string(rune('p'+i)))
		all[i].modern = modern
		all[i].during = func(call string) bool {
			time.Sleep(time.Duration(len(call)%3) * time.Millisecond)
			return true
		}
	}
	want := backend(all...)
	want.Balance = balance
	p := start(t, want, quick())
	awaitAll(t, p, replicas)

	var mu sync.Mutex // guards killed
	killed := map[string][]time.Time{}
	kills := func(name string, from, to time.Time) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(killed[name], func(at time.Time) bool {
			return at.After(from.Add(-200*time.Millisecond)) && at.Before(to)
		})
	}
	stop := make(chan struct{})
	var work sync.WaitGroup
	var calls, broken int
	for c := range clients {
		work.Go(func() {
			l, _ := newClient(fmt.Sprint("client ", c))
			if c%4 == 3 {
				l = nil
			}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				began := time.Now()
				name, err := who(p, l, fmt.Sprintf("after-%d-%d", c, n))
				mu.Lock()
				if calls++; err != nil {
					broken++
				}
				mu.Unlock()
				if err == nil {
					continue
				}
				var lost *upstream.UnavailableError
				if !errors.As(err, &lost) || lost.NotRun {
					t.Errorf("call %d of client %d: %q, %v", n, c, name, err)
					continue
				}
				at, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), `backend "b": `), ": ")
				if !kills(at, began, time.Now()) {
					t.Errorf("call %d of client %d, %v long: %v; %q was not killed then", n, c, time.Since(began), err, at)
				}
			}
		})
	}
	// One replica at a time is killed, held, made to drain, or not wanted; the first
	// stays.
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		i := 1 + random.IntN(replicas-1)
		changed := backend(all...)
		changed.Balance = balance
		r := &changed.Replicas[i-1]
		kill := func() {
			mu.Lock()
			killed[all[i].name] = append(killed[all[i].name], time.Now())
			mu.Unlock()
		}
		switch random.IntN(4) {
		case 0: // the engine tells of it
			kill()
			r.Held = true
			p.Set(changed)
			all[i].kill()
		case 1: // nobody does
			kill()
			all[i].kill()
		case 2:
			r.Drain, r.Doubted = true, time.Now()
			p.Set(changed)
		default:
			kill() // who is not wanted is not there any more
			changed.Replicas = slices.Delete(changed.Replicas, i-1, i)
			p.Set(changed)
			all[i].kill()
		}
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		kill()
		all[i].kill()
		all[i].start(t)
		back := backend(all...)
		back.Balance = balance
		p.Set(back)
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		kill() // what began before the restart ends with it
	}
	close(stop)
	work.Wait()
	once(t, all...)
	t.Logf("%d calls, %d of them in what was killed", calls, broken)
	if calls < 100 || broken > calls/4 {
		t.Errorf("%d calls, %d of them failed", calls, broken)
	}
	awaitAll(t, p, replicas)
	for _, e := range p.Endpoints() {
		if e.Calls != 0 {
			t.Errorf("%d calls are counted at %s", e.Calls, e.Backend.Replica.ID)
		}
	}
}
