package pool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

func lane(key string) *upstream.Lane { return &upstream.Lane{Key: key} }

// spread counts whose name came how often.
func spread(names []string) map[string]int {
	out := map[string]int{}
	for _, n := range names {
		out[n]++
	}
	return out
}

func TestClientsStayAndAreSpread(t *testing.T) {
	for _, balance := range []discovery.Balance{"", discovery.BalanceSticky, discovery.BalanceRoundRobin, discovery.BalanceLeastBusy} {
		t.Run(string(balance), func(t *testing.T) {
			a, b, c := newProcess(t, "a"), newProcess(t, "b"), newProcess(t, "c")
			want := backend(a, b, c)
			want.Balance = balance
			p := start(t, want, quick())
			awaitAll(t, p, 3)
			var homes []string
			for i := range 30 {
				homes = append(homes, mustWho(t, p, lane(fmt.Sprint(i)), "first"))
			}
			if s := spread(homes); s["a"] != 10 || s["b"] != 10 || s["c"] != 10 {
				t.Errorf("30 clients are at %v", s)
			}
			for round := range 3 {
				for i, home := range homes {
					if now := mustWho(t, p, lane(fmt.Sprint(i)), "again"); now != home {
						t.Fatalf("round %d: client %d is at %s, was at %s", round, i, now, home)
					}
				}
			}
		})
	}
}

func TestClientsAreSpreadByWeight(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	want := backend(a, b)
	want.Replica.Weight, want.Replicas[0].Weight = 30, 10
	p := start(t, want, quick())
	awaitAll(t, p, 2)
	var homes []string
	for i := range 40 {
		homes = append(homes, mustWho(t, p, lane(fmt.Sprint(i)), ""))
	}
	if s := spread(homes); s["a"] != 30 || s["b"] != 10 {
		t.Errorf("40 clients are at %v", s)
	}
}

// Where no sessions are kept, and of clients that are not told apart, each request is
// one of its own.
func TestRequestsWithoutSessionsAreSpread(t *testing.T) {
	tests := map[string]struct {
		balance discovery.Balance
		modern  bool
		lane    *upstream.Lane
	}{
		"nobody's":                      {"", false, nil},
		"a modern client's":             {"", false, &upstream.Lane{Key: "modern", Modern: true}},
		"in turn, of a modern backend":  {discovery.BalanceRoundRobin, true, lane("x")},
		"least busy, of a modern one":   {discovery.BalanceLeastBusy, true, lane("x")},
		"of a modern client and server": {"", true, &upstream.Lane{Key: "modern", Modern: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := newProcess(t, "a"), newProcess(t, "b")
			a.modern, b.modern = tt.modern, tt.modern
			want := backend(a, b)
			want.Balance = tt.balance
			p := start(t, want, quick())
			awaitAll(t, p, 2)
			var names []string
			for range 20 {
				names = append(names, mustWho(t, p, tt.lane, ""))
			}
			if s := spread(names); s["a"] != 10 || s["b"] != 10 {
				t.Errorf("20 requests went to %v", s)
			}
		})
	}
}

func TestLeastBusyAvoidsTheBusy(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	stuck, free := make(chan struct{}), make(chan struct{})
	during := func(call string) bool {
		if call == "slow" {
			close(stuck)
			<-free
		}
		return true
	}
	a.during, b.during = during, during
	want := backend(a, b)
	want.Balance = discovery.BalanceLeastBusy
	p := start(t, want, quick())
	awaitAll(t, p, 2)
	var slow string
	done := make(chan struct{})
	go func() { defer close(done); slow, _ = who(p, nil, "slow") }()
	<-stuck
	var names []string
	for range 10 {
		names = append(names, mustWho(t, p, nil, "quick"))
	}
	close(free)
	<-done
	if s := spread(names); s[slow] != 0 {
		t.Errorf("%s was busy, and got %v", slow, s)
	}
}

// A process that refuses connections never ran what was sent to it.
func TestWhatDidNotRunGoesElsewhere(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	clients := make([]*upstream.Lane, 8)
	for i := range clients {
		clients[i] = lane(fmt.Sprint(i))
		mustWho(t, p, clients[i], "before")
	}
	a.kill()
	b.during = nil
	began := time.Now()
	for i, c := range clients {
		name, err := who(p, c, fmt.Sprintf("after-%d", i))
		var lost *upstream.UnavailableError
		if errors.As(err, &lost) && !lost.NotRun {
			continue // a kept connection broke: it may have run
		}
		if err != nil || name != "b" {
			t.Errorf("client %d: %q, %v", i, name, err)
		}
	}
	if took := time.Since(began); took > quick().Hold {
		t.Errorf("it took %v: somebody waited for the one that is gone", took)
	}
	once(t, a, b)
}

// once fails the test when a call ran twice.
func once(t *testing.T, all ...*process) {
	t.Helper()
	seen := map[string]string{}
	for _, p := range all {
		for _, call := range p.ran() {
			if !strings.HasPrefix(call, "after") {
				continue
			}
			if first, twice := seen[call]; twice {
				t.Errorf("call %s ran at %s and at %s", call, first, p.name)
			}
			seen[call] = p.name
		}
	}
}

func TestWhatMayHaveRunIsNotSentTwice(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	c := lane("c")
	home, other := a, b
	if mustWho(t, p, c, "before") == "b" {
		home, other = b, a
	}
	home.during = func(call string) bool { return !strings.HasPrefix(call, "after") }
	_, err := who(p, c, "after")
	var lost *upstream.UnavailableError
	if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(err.Error(), `backend "b": `+home.name+": ") {
		t.Fatalf("%v: not an error that names %s and says that it may have run", err, home.name)
	}
	if slices.Contains(other.ran(), "after") {
		t.Error("it was sent to the other one")
	}
	once(t, a, b)
}

// From the moment that Set returns nothing new goes to a replica that is held, and
// nobody waits for it.
func TestHeldReplicaGetsNothing(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	clients := make([]*upstream.Lane, 10)
	for i := range clients {
		clients[i] = lane(fmt.Sprint(i))
		mustWho(t, p, clients[i], "before")
	}
	held := backend(a, b)
	held.Held = true
	p.Set(held)
	began := time.Now()
	for i, c := range clients {
		if name := mustWho(t, p, c, fmt.Sprintf("after-%d", i)); name != "b" {
			t.Errorf("client %d is at %s", i, name)
		}
	}
	if took := time.Since(began); took > quick().Hold { // who waits for it, waits for so long
		t.Errorf("ten calls took %v", took)
	}
	if s := p.State(); s.Phase != upstream.PhaseReady || s.Reason != "" {
		t.Errorf("%s, %q", s.Phase, s.Reason)
	}
	await(t, "the loss of a", func() bool { return p.Endpoints()[0].State.Phase == upstream.PhaseHolding })
	// It is back: who moved stays where they are, and newcomers make it even again.
	p.Set(backend(a, b))
	awaitAll(t, p, 2)
	for i, c := range clients {
		if name := mustWho(t, p, c, "later"); name != "b" {
			t.Errorf("client %d went back to %s", i, name)
		}
	}
	for i := range 10 {
		if name := mustWho(t, p, lane(fmt.Sprint("new", i)), "later"); name != "a" {
			t.Errorf("newcomer %d is at %s", i, name)
		}
	}
}

// When all are gone for a moment, calls wait for whoever comes first.
func TestAllHeldIsWaitedFor(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	held := backend(a, b)
	held.Held, held.Replicas[0].Held = true, true
	p.Set(held)
	await(t, "holding", func() bool { return p.State().Phase == upstream.PhaseHolding })
	if s := p.State(); len(s.Tools) != 1 || !strings.Contains(s.Reason, "none of its 2 replicas is there: a: ") {
		t.Errorf("%d tools, %q", len(s.Tools), s.Reason)
	}
	got := make(chan string, 1)
	go func() {
		name, err := who(p, lane("x"), "after")
		got <- fmt.Sprint(name, err)
	}()
	select {
	case early := <-got:
		t.Fatalf("it did not wait: %s", early)
	case <-time.After(200 * time.Millisecond):
	}
	held.Replicas[0].Held = false
	p.Set(held)
	if name := <-got; name != "b<nil>" {
		t.Error(name)
	}
}

func TestCallEndsWhenNoReplicaComes(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	cfg := quick()
	cfg.Hold = 300 * time.Millisecond
	p := start(t, backend(a, b), cfg)
	awaitAll(t, p, 2)
	held := backend(a, b)
	held.Held, held.Replicas[0].Held = true, true
	p.Set(held)
	_, err := who(p, lane("x"), "after")
	var lost *upstream.UnavailableError
	if !errors.As(err, &lost) || !lost.NotRun || !strings.Contains(err.Error(), "none of its 2 replicas is there") {
		t.Error(err)
	}
}

func TestDrain(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	homes := map[string]string{}
	for i := range 10 {
		key := fmt.Sprint(i)
		homes[key] = mustWho(t, p, lane(key), "")
	}
	drained := backend(a, b)
	drained.Replica.Weight, drained.Replica.Drain = 0, true
	p.Set(drained)
	for key, home := range homes {
		if now := mustWho(t, p, lane(key), ""); now != home {
			t.Errorf("client %s moved from %s to %s", key, home, now)
		}
	}
	for i := range 10 {
		if now := mustWho(t, p, lane(fmt.Sprint("new", i)), ""); now != "b" {
			t.Errorf("a newcomer is at %s", now)
		}
		if now := mustWho(t, p, nil, ""); now != "b" {
			t.Errorf("a request of nobody went to %s", now)
		}
	}
	// Alone it takes what comes.
	drained.Replicas[0].Held = true
	p.Set(drained)
	if now := mustWho(t, p, lane("last"), ""); now != "a" {
		t.Errorf("it is at %s", now)
	}
}

// A process that was told to end is avoided at once, and used when there is no other.
func TestDoubtedReplicaIsTheLastChoice(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	clients := make([]*upstream.Lane, 6)
	for i := range clients {
		clients[i] = lane(fmt.Sprint(i))
		mustWho(t, p, clients[i], "")
	}
	doubted := backend(a, b)
	doubted.Doubted = time.Now()
	p.Set(doubted)
	for _, c := range clients {
		if now := mustWho(t, p, c, ""); now != "b" {
			t.Errorf("it went to %s", now)
		}
	}
	doubted.Replicas[0].Held = true
	p.Set(doubted)
	for _, c := range clients {
		if now := mustWho(t, p, c, ""); now != "a" {
			t.Errorf("it went to %s", now)
		}
	}
}

func TestOneReplicaIsWaitedFor(t *testing.T) {
	a := newProcess(t, "a")
	p := startReady(t, a)
	held := backend(a)
	held.Held = true
	p.Set(held)
	var work sync.WaitGroup
	for i := range 5 {
		work.Go(func() {
			if name, err := who(p, lane(fmt.Sprint(i)), "after"); name != "a" || err != nil {
				t.Error(name, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	p.Set(backend(a))
	work.Wait()
}

// Who waits for the only replica takes another one when that comes first.
func TestWhoWaitsForOneTakesAnother(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	cfg := quick()
	cfg.Hold = time.Minute
	p := start(t, backend(a), cfg)
	awaitAll(t, p, 1)
	held := backend(a)
	held.Held = true
	p.Set(held)
	await(t, "holding", func() bool { return p.State().Phase == upstream.PhaseHolding }) // a call before that may still go out
	got := make(chan string, 1)
	go func() {
		name, err := who(p, lane("x"), "after")
		got <- fmt.Sprint(name, err)
	}()
	time.Sleep(50 * time.Millisecond)
	both := backend(a, b)
	both.Held = true
	p.Set(both)
	select {
	case name := <-got:
		if name != "b<nil>" {
			t.Error(name)
		}
	case <-time.After(patience):
		t.Error("it waits on")
	}
}
