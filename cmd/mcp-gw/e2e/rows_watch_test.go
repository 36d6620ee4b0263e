package e2e

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// hears opens the stream on which a client hears of changes until ctx ends: its
// standing one, or a subscription with this filter.
func hears(ctx context.Context, t *testing.T, c *rawClient, filter string) <-chan []byte {
	t.Helper()
	if !c.modern {
		messages, end := c.listen(t)
		context.AfterFunc(ctx, end)
		return messages
	}
	x, err := c.open(ctx, ask{method: "subscriptions/listen", id: `"rows"`, params: `"notifications":` + filter})
	if err != nil || x.stream == nil {
		t.Fatalf("subscriptions/listen: got %v %v, want a stream", x, err)
	}
	out, done := make(chan []byte, 1024), make(chan struct{})
	go func() {
		defer close(done)
		for {
			message, err := x.next()
			if err != nil {
				return
			}
			out <- message
		}
	}()
	t.Cleanup(func() { x.close(); <-done })
	ack := receive(t, "the acknowledgement", out)
	sameBytes(t, "what is acknowledged", get(ack, "params", "notifications"), []byte(filter))
	return out
}

// watching are the sessions that watch a URI of the backend's now, and how often each
// asked for it; under an empty name the subscriptions that name it.
func (s *rowsStub) watching(uri string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := map[string]int{}
	for _, r := range s.got {
		if str(r.body, "params", "uri") != uri || s.sessions[r.session] == nil {
			continue
		}
		switch r.method {
		case "resources/subscribe":
			on[r.session]++
		case "resources/unsubscribe":
			on[r.session]--
		}
		if on[r.session] == 0 {
			delete(on, r.session)
		}
	}
	for _, ear := range s.ears {
		if ear.hearsOf(uri) {
			on[""]++
		}
	}
	return on
}

func (e rowsEar) hearsOf(uri string) bool {
	return strings.Contains(string(get(e.filter, "resourceSubscriptions")), `"`+uri+`"`)
}

// Several clients watch one resource, under the URIs that each knows: nobody asks the
// backend twice, each client gets each update once, under its own URI, until the last
// one has had enough.
func runSubscribe(t *testing.T, st *stage) {
	const more = `"title":"\u2028","x-more":1.0,"_meta":{"example.com/x":{"n":9007199254740993}}`
	for _, s := range st.stubs {
		t.Run(s.name+" backend", func(t *testing.T) {
			type watcher struct {
				*way
				messages <-chan []byte
				leave    func()
			}
			var all []*watcher
			once := func() map[string]int {
				t.Helper()
				on := s.watching(rowsMemo)
				for session, n := range on {
					if n != 1 {
						t.Errorf("the backend is asked %d times in the session %q, want once", n, session)
					}
				}
				return on
			}
			updated := func(round string, who []*watcher) {
				t.Helper()
				on := once()
				told := s.tell("notifications/resources/updated", `"uri":"`+rowsMemo+`","round":"`+round+`",`+more, func(e rowsEar) bool {
					return e.subscription == "" && on[e.session] > 0 || e.hearsOf(rowsMemo)
				})
				if told != len(on) {
					t.Errorf("round %s: %d of %d who watch at the backend have a stream on which to hear of it", round, told, len(on))
				}
				for _, x := range who {
					message := receive(t, "the update of round "+round+" for the "+eraName(x.client)+" client at "+x.c.url, x.messages)
					want := `{"uri":` + strconv.Quote(x.shared(rowsMemo)) + `,"round":"` + round + `",` + more + `}`
					params := get(message, "params")
					if x.client {
						if id := string(get(params, "_meta", "io.modelcontextprotocol/subscriptionId")); id != `"rows"` {
							t.Errorf("subscriptionId: got %s, want \"rows\"", id)
						}
						params = replace(params, "_meta", string(without(get(params, "_meta"), "io.modelcontextprotocol/subscriptionId")))
					}
					sameBytes(t, "params of the update", params, []byte(want))
				}
			}
			for _, client := range []bool{false, true} {
				for _, plain := range []bool{false, true} {
					x := &watcher{way: &way{st: st, s: s, client: client, plain: plain}}
					// A client of its own test, so that a modern one leaves with that.
					x.c = x.way.dial(t)
					uri := x.shared(rowsMemo)
					if client {
						ctx, cancel := context.WithCancel(t.Context())
						x.leave = cancel
						x.messages = hears(ctx, t, x.c, `{"resourceSubscriptions":["`+uri+`"]}`)
					} else {
						x.messages = hears(t.Context(), t, x.c, "")
						x.c.must(t, ask{method: "resources/subscribe", params: `"uri":"` + uri + `"`})
						x.leave = func() {
							x.c.must(t, ask{method: "resources/unsubscribe", params: `"uri":"` + uri + `"`})
						}
					}
					all = append(all, x)
					once()
				}
			}
			for left := len(all); left > 0; left-- {
				updated(strconv.Itoa(left), all[:left])
				all[left-1].leave()
			}
			eventually(t, "the backend to be told that nobody watches", func() bool { return len(s.watching(rowsMemo)) == 0 })
		})
	}
}
