package api

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"slices"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

// How often pages are told: what comes meanwhile is told together.
const (
	callsPause   = 100 * time.Millisecond
	statesPause  = 200 * time.Millisecond
	doorbellRest = time.Second
	// maxBatch is how many calls are told at a time, and maxTold how many clients. Of
	// more calls the newest are told, and of the rest how many there were.
	maxBatch, maxTold = 256, 200
	// maxActive is of how many clients the numbers are told, once a second.
	maxActive = 20
	// linger is how long everything is told on after the last reader has left: it may
	// come back, and wants what it missed.
	linger = time.Minute
)

type (
	callsEvent struct {
		Calls []journal.Call `json:"calls"`
	}
	removedEvent struct {
		Name string `json:"name"`
	}
	discoveryEvent struct {
		Problems   int `json:"problems"`
		Containers int `json:"containers"`
	}
	toolsEvent struct {
		Tools   int `json:"tools"`
		Exposed int `json:"exposed"`
		Tokens  int `json:"tokens"`
	}
	metricsEvent struct {
		CallsPerSecond  float64  `json:"callsPerSecond"`
		ErrorsPerSecond float64  `json:"errorsPerSecond"`
		Running         int      `json:"running"`
		Streams         int      `json:"streams"`
		P95Ms           *float64 `json:"p95Ms,omitempty"`
	}
)

// keepTelling tells the pages of what happens, while there are any, until ctx ends.
func (s *server) keepTelling(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-s.hub.bell:
			s.tell(ctx)
		case <-ctx.Done():
		}
	}
}

// teller is what the pages were told last.
type teller struct {
	*server
	watch     *journal.Watch
	states    map[string]string // JSON of each backend
	catalogue uint64            // a hash of it
	change    uint64            // id of the latest change
	pulse     journal.Pulse
	at        time.Time // of pulse
}

func (s *server) tell(ctx context.Context) {
	book := s.Gateway.Journal()
	t := &teller{server: s, watch: book.Watch(), change: book.LastChange(), pulse: book.Pulse(), at: time.Now()}
	defer t.watch.Close()
	changed, seen := s.Gateway.Changed(), s.discovered()
	t.states, t.catalogue = t.look()
	s.hub.wake()

	var calls, states, containers pause
	_, next := book.ChangesAfter(t.change)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	alone := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-calls.unless(t.watch.Ready()):
			calls.begin(callsPause)
		case <-calls.over():
			calls.end()
			t.tellCalls()
		case <-states.unless(changed):
			states.begin(statesPause)
			containers.begin(doorbellRest) // how far a backend came is told of its container
		case <-states.over():
			states.end()
			changed = s.Gateway.Changed() // before the look: nothing falls between the two
			t.tellStates()
		case <-containers.unless(seen):
			containers.begin(doorbellRest)
		case <-containers.over():
			containers.end()
			seen = s.discovered()
			t.tellContainers()
		case <-next:
			next = t.tellChanges()
		case <-second.C:
			t.tellPulse()
			if s.hub.busy() {
				alone = time.Now()
			} else if time.Since(alone) > s.linger && s.hub.sleep() {
				return
			}
		}
	}
}

// pause gathers what comes within a time after the last was told.
type pause struct {
	timer *time.Timer
	last  time.Time
}

// begin waits until d after the last end, if it does not wait already.
func (p *pause) begin(d time.Duration) {
	if p.timer == nil {
		p.timer = time.NewTimer(max(0, d-time.Since(p.last)))
	}
}

// unless answers bell, and nil while the pause is waited for: what rings meanwhile is
// heard at its end.
func (p *pause) unless(bell <-chan struct{}) <-chan struct{} {
	if p.timer != nil {
		return nil
	}
	return bell
}

func (p *pause) over() <-chan time.Time {
	if p.timer == nil {
		return nil
	}
	return p.timer.C
}

func (p *pause) end() { p.timer, p.last = nil, time.Now() }

// discovered is closed when the containers have changed; nil when nobody watches them.
func (s *server) discovered() <-chan struct{} {
	if s.Discovery == nil {
		return nil
	}
	return s.Discovery.Changed()
}

func (t *teller) tellCalls() {
	calls, missed := t.watch.Calls(maxBatch)
	if missed > 0 {
		t.hub.publish("gap", missed, gap{missed})
	}
	switch {
	case len(calls) == 1 && calls[0].State == "running":
		t.hub.publish("call_started", 1, calls[0])
	case len(calls) == 1:
		t.hub.publish("call_finished", 1, calls[0])
	case len(calls) > 1:
		t.hub.publish("calls", len(calls), callsEvent{calls})
	}
	clients, refused := t.watch.Clients()
	for _, c := range clients[max(0, len(clients)-maxTold):] {
		t.hub.publish("client", 1, c)
	}
	for _, r := range refused {
		t.hub.publish("client_refused", 1, r)
	}
}

// look answers the backends as they are told, by name, and a hash of all their lists.
func (t *teller) look() (states map[string]string, catalogue uint64) {
	show := t.shower()
	states = map[string]string{}
	var hash maphash.Hash
	hash.SetSeed(seed)
	for _, b := range t.Gateway.Backends() {
		_, _ = hash.WriteString(b.Name) // never fails
		for _, tool := range b.Tools {
			_, _ = hash.Write(tool)
		}
		for _, n := range []int{b.EnabledTools, b.AlteredTools, b.Resources, b.Prompts, b.Tokens} {
			maphash.WriteComparable(&hash, n)
		}
		b.Tools = []json.RawMessage{}
		b.Stats = journal.Stats{} // who wants the latest asks for them
		shown := show(b)
		text, err := json.Marshal(shown)
		if err != nil {
			continue
		}
		states[b.Name] = string(text)
	}
	return states, hash.Sum64()
}

var seed = maphash.MakeSeed()

func (t *teller) tellStates() {
	states, catalogue := t.look()
	show := t.shower()
	for name, text := range states {
		if t.states[name] == text {
			continue
		}
		if b, there := t.Gateway.Backend(name); there {
			b.Tools = []json.RawMessage{}
			t.hub.publish("backend", 1, show(b))
		}
	}
	for name := range t.states {
		if _, still := states[name]; !still {
			t.hub.publish("backend_removed", 1, removedEvent{name})
		}
	}
	if catalogue != t.catalogue {
		t.hub.publish("tools_changed", 1, toolsOf(t.Gateway.Catalogue()))
	}
	t.states, t.catalogue = states, catalogue
}

func toolsOf(all gateway.Catalogue) toolsEvent {
	e := toolsEvent{Tools: len(all.Tools)}
	for _, tool := range all.Tools {
		if exposed(tool) {
			e.Exposed++
			e.Tokens += tool.Tokens
		}
	}
	return e
}

func (t *teller) tellContainers() {
	if t.Discovery == nil {
		return
	}
	report := t.discovery()
	e := discoveryEvent{Containers: len(report.Containers)}
	for _, o := range report.Containers {
		if troubled(o) {
			e.Problems++
		}
	}
	t.hub.publish("discovery", 1, e)
}

// troubled reports whether there is something to do about a container, as the page
// counts it: one that nobody asked for, or that is as it was asked for, is none.
func troubled(o discovery.Observed) bool {
	verdicts := []string{o.Verdict}
	for _, other := range o.Others {
		verdicts = append(verdicts, other.Verdict)
	}
	return o.Verdict == "self" && o.Fix != "" || slices.ContainsFunc(verdicts, func(v string) bool {
		return v != "registered" && v != "gone" && !slices.Contains(unasked, v)
	})
}

func (t *teller) tellChanges() (next <-chan struct{}) {
	changes, next := t.Gateway.Journal().ChangesAfter(t.change)
	for _, c := range changes {
		t.hub.publish("change", 1, c)
		t.change = c.ID
	}
	return next
}

func (t *teller) tellPulse() {
	now, p := time.Now(), t.Gateway.Journal().Pulse()
	seconds := now.Sub(t.at).Seconds()
	rate := func(n uint64) float64 { return float64(int(float64(n)/seconds*10+0.5)) / 10 }
	text := line("", "metrics", metricsEvent{CallsPerSecond: rate(p.Calls - t.pulse.Calls), ErrorsPerSecond: rate(p.Errors - t.pulse.Errors),
		Running: p.Running, Streams: p.Streams, P95Ms: p.P95Ms})
	for _, c := range t.Gateway.Journal().ClientsSince(t.at, maxActive) { // their numbers
		text = append(text, line("", "client", c)...)
	}
	t.hub.pulse(text)
	t.pulse, t.at = p, now
}
