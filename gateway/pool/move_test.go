package pool

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mcp-gw/gateway/upstream"
)

const updated = `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:1"}}`

// What a client listens to, watches, and wants to read in logs, goes with it.
func TestListenerMovesWithAllItHas(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	c, heard := newClient("c")
	c.SetLevel("debug")
	home, other := a, b
	if mustWho(t, p, c, "") == "b" {
		home, other = b, a
	}
	if own, err := p.SubscribeAs(context.Background(), c, "x:1"); !own || err != nil {
		t.Fatal(own, err)
	}
	if got := home.watches(); got != home.name+"-2=x:1" {
		t.Fatalf("it watches %q", got)
	}
	held := backend(a, b)
	if home == a {
		held.Held = true
	} else {
		held.Replicas[0].Held = true
	}
	home.kill()
	p.Set(held)
	// The client does nothing but listen.
	await(t, "a session elsewhere", func() bool { return other.watches() == other.name+"-2=x:1" && other.listening() > 0 })
	other.tell(updated)
	await(t, "the update", func() bool { return heard.count("x:1") == 1 })
	mustWho(t, p, c, "")
	await(t, "the level", func() bool {
		other.mu.Lock()
		defer other.mu.Unlock()
		return other.told[other.name+"-2"] == "debug"
	})
	// The first one is back, and has no part in it any more.
	home.mu.Lock()
	home.watched = nil
	home.mu.Unlock()
	home.start(t)
	p.Set(backend(a, b))
	awaitAll(t, p, 2)
	if name := mustWho(t, p, c, ""); name != other.name {
		t.Errorf("it went back to %s", name)
	}
	if got := home.watches(); got != "" {
		t.Errorf("%s is asked for %q", home.name, got)
	}
	if !p.UnsubscribeAs(context.Background(), c, "x:1") || other.watches() != "" {
		t.Errorf("still watched: %q", other.watches())
	}
	p.CloseLane(c.Key)
	await(t, "the end of its session", func() bool { return p.Endpoints()[0].Sessions+p.Endpoints()[1].Sessions == 0 })
}

// Clients that were there before there were several replicas stay where they are, and
// those of replicas that leave go on at the rest.
func TestF22ScaleUpAndDown(t *testing.T) {
	all := make([]*process, 5)
	for i := range all {
		all[i] = newProcess(t, string(rune('a'+i)))
	}
	p := startReady(t, all[0])
	clients := make([]*upstream.Lane, 10)
	inboxes := make([]*client, len(clients))
	for i := range clients {
		clients[i], inboxes[i] = newClient(fmt.Sprint(i))
		mustWho(t, p, clients[i], "")
	}
	p.Set(backend(all...))
	awaitAll(t, p, 5)
	for i, c := range clients {
		if now := mustWho(t, p, c, ""); now != "a" {
			t.Errorf("client %d moved to %s", i, now)
		}
	}
	var names []string
	for i := range 40 {
		c, inbox := newClient(fmt.Sprint("new", i))
		clients, inboxes = append(clients, c), append(inboxes, inbox)
		names = append(names, mustWho(t, p, c, ""))
	}
	if s := spread(names); len(s) != 4 && len(s) != 5 || s["a"] > 1 {
		t.Errorf("newcomers are at %v", s)
	}
	p.Set(backend(all[2]))
	awaitAll(t, p, 1)
	await(t, "all sessions at the one that is left", func() bool { return all[2].listening() > len(clients) }) // and the gateway's
	all[2].tell(updated)
	for i, inbox := range inboxes {
		await(t, fmt.Sprintf("the update for client %d", i), func() bool { return inbox.count("x:1") > 0 })
	}
	for i, c := range clients {
		if now := mustWho(t, p, c, ""); now != "c" {
			t.Errorf("client %d is at %s", i, now)
		}
	}
	for i, inbox := range inboxes {
		if n := inbox.count("x:1"); n != 1 {
			t.Errorf("client %d heard %d times", i, n)
		}
	}
}

// A container that was made anew has another id; where it was the only one, it is the
// same backend to clients.
func TestSuccessorTakesThePlace(t *testing.T) {
	a := newProcess(t, "a")
	p := startReady(t, a)
	a.kill()
	held := backend(a)
	held.Held = true
	p.Set(held)
	await(t, "holding", func() bool { return p.State().Phase == upstream.PhaseHolding })
	b := newProcess(t, "b")
	p.Set(backend(b))
	for p.Endpoints()[0].State.Phase != upstream.PhaseReady {
		if s := p.State(); len(s.Tools) != 1 {
			t.Fatalf("%s with %d tools", s.Phase, len(s.Tools))
		}
	}
	if name := mustWho(t, p, lane("x"), ""); name != "b" {
		t.Error(name)
	}
}

// What the gateway itself watches, for clients without sessions, it watches everywhere.
func TestSharedWatchIsEverywhere(t *testing.T) {
	a, b, c := newProcess(t, "a"), newProcess(t, "b"), newProcess(t, "c")
	p := startReady(t, a, b)
	for range 2 {
		if err := p.Subscribe(context.Background(), "x:1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, process := range []*process{a, b} {
		if got := process.watches(); got != process.name+"-1=x:1" {
			t.Errorf("%s: %q", process.name, got)
		}
	}
	p.Set(backend(a, b, c))
	await(t, "the watch at the new one", func() bool { return c.watches() == "c-1=x:1" })
	p.Unsubscribe("x:1")
	p.Set(backend(a, c))
	await(t, "the end of b", func() bool { return len(p.Endpoints()) == 2 })
	if a.watches() == "" || c.watches() == "" {
		t.Error("it is given up, and somebody wants it")
	}
	p.Unsubscribe("x:1")
	await(t, "the end of the watch", func() bool { return a.watches()+c.watches() == "" })
	p.Unsubscribe("x:1") // one too many harms nobody
	if len(p.watches) != 0 {
		t.Errorf("%d watches are left", len(p.watches))
	}
}

func TestSubscribeSaysWhyNot(t *testing.T) {
	a := newProcess(t, "a")
	a.kill()
	p := start(t, backend(a), quick())
	if err := p.Subscribe(context.Background(), "x:1"); err == nil || !strings.Contains(err.Error(), `backend "b": `) {
		t.Error(err)
	}
	if len(p.watches) != 0 {
		t.Error("the watch is kept")
	}
}

// The table of who is where has a bound.
func TestSeatsAreBounded(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	cfg := quick()
	cfg.MaxLanes = 10
	p := start(t, backend(a, b), cfg)
	awaitAll(t, p, 2)
	for i := range 30 {
		mustWho(t, p, lane(fmt.Sprint(i)), "")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.set.Load().all
	if len(p.seats) != 10 || all[0].seats+all[1].seats != 10 {
		t.Errorf("%d seats, %d and %d", len(p.seats), all[0].seats, all[1].seats)
	}
}
