package downstream

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// event is the next event with an id: its id and its data.
func (l *lines) event(t *testing.T) (id, data string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { l.res.Body.Close() })
	defer timer.Stop()
	for {
		line, err := l.ReadString('\n')
		if err != nil {
			return "", ""
		}
		line = strings.TrimSuffix(line, "\n")
		if after, ok := strings.CutPrefix(line, "id: "); ok {
			id = after
		}
		if after, ok := strings.CutPrefix(line, "data: "); ok {
			data = after
		}
		if line == "" && id != "" {
			return id, data
		}
	}
}

// A client whose stream of a call broke off takes it up again where it was: the call
// went on, and nothing of it is lost, nor told twice.
func TestBrokenCallIsTakenUpAgain(t *testing.T) {
	h := start(t, nil)
	step := make(chan struct{})
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(_ context.Context, r request) string {
		for i := range 5 {
			<-step
			r.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":%d}}`, i))
		}
		<-step
		return `"result":{"text":"done"}`
	}})
	s := h.initialize(t)
	ctx, cancel := context.WithCancel(context.Background())
	res, err := http.DefaultClient.Do(func() *http.Request {
		r := h.request(ctx, t, "POST", callOf("t"), s...)
		go func() { step <- struct{}{}; step <- struct{}{} }()
		return r
	}())
	if err != nil {
		t.Fatal(err)
	}
	l := &lines{bufio.NewReader(res.Body), res}
	first, data := l.event(t)
	if !strings.HasSuffix(data, `"data":0}}`) {
		t.Fatalf("first: %s %s", first, data)
	}
	second, _ := l.event(t)
	cancel()
	res.Body.Close()
	step <- struct{}{} // while nobody listens
	again := h.open(t, "GET", "", append(s, "Last-Event-ID", first)...)
	seen := []string{first}
	for i := 1; i <= 5; i++ {
		if i > 2 {
			step <- struct{}{}
		}
		id, data := again.event(t)
		want := fmt.Sprintf(`"data":%d}}`, i)
		if i == 5 {
			want = `{"jsonrpc":"2.0","id":1,"result":{"text":"done"}}`
		}
		if !strings.HasSuffix(data, want) {
			t.Errorf("event %d: %s %s", i, id, data)
		}
		if i == 1 && id != second {
			t.Errorf("the second event is %s now, and was %s", id, second)
		}
		seen = append(seen, id)
	}
	if id, data := again.event(t); id != "" {
		t.Errorf("more after the response: %s %s", id, data)
	}
	// All of it can be had once more, and from any point.
	for i, id := range seen {
		l := h.open(t, "GET", "", append(s, "Last-Event-ID", id)...)
		for range len(seen) - 1 - i {
			if id, _ := l.event(t); id == "" {
				t.Errorf("after %s: events are missing", id)
			}
		}
		if id, data := l.event(t); id != "" {
			t.Errorf("after %s: more: %s", id, data)
		}
	}
	// And by nobody else.
	other := h.initialize(t)
	l = h.open(t, "GET", "", append(other, "Last-Event-ID", first)...)
	h.do(t, "DELETE", "", other...)
	if id, data := l.event(t); id != "" {
		t.Errorf("another session got %s %s", id, data)
	}
}

// A call that was silent until its stream broke off can be taken up by the id of the
// event that opened it.
func TestPrimingEvent(t *testing.T) {
	for version, primed := range map[string]bool{"2025-11-25": true, "2025-06-18": false, "2024-11-05": false} {
		h := start(t, func(c *Config) { c.KeepAlive = 5 * time.Millisecond })
		goOn := make(chan struct{})
		h.stage(&player{name: "b", tools: []string{"t"}, answer: func(context.Context, request) string { <-goOn; return `"result":{}` }})
		s := h.hello(t, version, `{}`)
		l := h.open(t, "POST", callOf("t"), s...)
		if !primed {
			l.next(t, true)
			close(goOn)
			if id, data := l.event(t); id != "1-1" || !strings.Contains(data, "result") {
				t.Errorf("%s: %q %q", version, id, data)
			}
			continue
		}
		id, data := l.event(t)
		if data != "" || id == "" {
			t.Errorf("%s: primed with %q %q", version, id, data)
		}
		l.res.Body.Close()
		again := h.open(t, "GET", "", append(s, "Last-Event-ID", id)...)
		again.next(t, true) // kept alive meanwhile
		close(goOn)
		if id, data := again.event(t); id != "1-1" || data != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("%s: %q %q", version, id, data)
		}
	}
}

// What is sent outside of calls is not lost between two streams either.
func TestStandingStreamIsTakenUpAgain(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	in := h.sessions.get(s[1])
	say := func(n int) {
		in.standing.add(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":%d}}`, n))
	}
	say(1) // before there is any stream
	l := h.open(t, "GET", "", s...)
	say(2)
	var ids []string
	for i := 1; i <= 2; i++ {
		id, data := l.event(t)
		if !strings.Contains(data, fmt.Sprintf(`"data":%d}`, i)) {
			t.Errorf("event %d: %s", i, data)
		}
		ids = append(ids, id)
	}
	await(t, "noting what was told", func() bool { in.mu.Lock(); defer in.mu.Unlock(); return in.told == 2 })
	for name, test := range map[string]struct {
		last string
		from int
	}{
		"nothing said": {"-", 3}, "the first": {ids[0], 2}, "the last": {ids[1], 3}, "before the first": {"0-0", 1},
		"unknown stream": {"77-1", 3}, "rubbish": {"rubbish", 3}, "negative": {"0--1", 3}, "too large": {"0-99999999999999999999", 3}, "of the future": {"0-1000", 3}, "empty": {"", 3},
	} {
		l := h.open(t, "GET", "", append(s, "Last-Event-ID", test.last)...)
		for i := test.from; i <= 2; i++ {
			if id, data := l.event(t); id != ids[i-1] || !strings.Contains(data, fmt.Sprintf(`"data":%d}`, i)) {
				t.Errorf("%s: event %d: %s %s", name, i, id, data)
			}
		}
		l.res.Body.Close()
	}
	last := h.open(t, "GET", "", s...)
	say(3)
	if id, data := last.event(t); id != "0-3" || !strings.Contains(data, `"data":3}`) {
		t.Errorf("afterwards: %s %s", id, data)
	}
}

// What is kept has bounds, and goes with the session.
func TestBoundsOfReplay(t *testing.T) {
	var b budget
	r := newReel("1", &b)
	for i := range 3 * maxReelEvents {
		if n := r.add([]byte(strconv.Itoa(i))); n != uint64(i+1) {
			t.Fatalf("event %d has the number %d", i, n)
		}
	}
	if events, over, _ := r.after(0); len(events) != maxReelEvents || over || events[0].number != 2*maxReelEvents+1 {
		t.Errorf("%d events, over %v", len(events), over)
	}
	if events, _, _ := r.after(3*maxReelEvents - 1); len(events) != 1 {
		t.Errorf("%d events after the last but one", len(events))
	}
	half := make([]byte, maxReelBytes/2+1)
	r.add(half)
	r.add(half)
	if events, _, _ := r.after(0); len(events) != 1 || r.size > maxReelBytes || b.used.Load() != int64(r.size) {
		t.Errorf("%d events of %d bytes; %d in all", len(events), r.size, b.used.Load())
	}
	r.add(make([]byte, maxReelBytes+1)) // too large to be kept, and no reason to forget the rest
	if events, _, _ := r.after(0); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	r.end()
	r.end()
	if _, over, _ := r.after(0); !over || !r.ended() {
		t.Error("it is not over")
	}
	r.free()
	r.add(half) // of a call that goes on
	if events, _, _ := r.after(0); len(events) != 0 || b.used.Load() != 0 {
		t.Errorf("after the end: %d events, %d bytes", len(events), b.used.Load())
	}

	// All reels together.
	var reels []*reel
	for range maxReplay/maxReelBytes + 20 {
		r := newReel("x", &b)
		r.add(half)
		r.add(half[:len(half)-2])
		reels = append(reels, r)
	}
	if used := b.used.Load(); used > maxReplay+maxReelBytes {
		t.Errorf("%d bytes are kept", used)
	}
	for _, r := range reels {
		r.free()
	}
	if used := b.used.Load(); used != 0 {
		t.Errorf("%d bytes are kept", used)
	}
}

// A session keeps the last streams, and none when it is over, whatever its calls do.
func TestReelsOfASession(t *testing.T) {
	h := newHouse(nil)
	s := h.sessions.open(hello{Version: "2025-11-25"})
	var running []*reel
	for i := range maxReels {
		r := s.newReel()
		r.add([]byte("x"))
		if i%2 == 0 {
			r.end()
		} else {
			running = append(running, r)
		}
	}
	for range maxReels / 2 { // those that ended give way first
		s.newReel().add([]byte("x"))
	}
	for _, r := range running {
		if of, _ := s.reel(r.name + "-0"); of != r {
			t.Errorf("stream %s was forgotten while it ran", r.name)
		}
	}
	for range 3 * maxReels {
		r := s.newReel()
		running = append(running, r)
	}
	if len(s.reels) != maxReels {
		t.Errorf("%d streams are kept", len(s.reels))
	}
	s.standing.add([]byte("x"))
	h.sessions.end(s)
	for _, r := range append(running, s.newReel(), s.standing) {
		r.add([]byte("more"))
	}
	if used := h.sessions.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are kept for nobody", used)
	}
	h.parking.Close()
}
