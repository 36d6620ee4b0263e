package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// changing is a server that can be made to change.
type changing struct {
	backend string // of diffServers
	// once and again are resources that can be touched, by the tool touch.
	once, again string
	// grow are the tools that change a list, by the kind of the list.
	grow map[string]string
	// same says that these tools change the list at the first time only, and
	// announce it always. An endpoint of many backends announces what changed.
	same bool
}

var changings = []changing{
	{"tsv1", "mem://a/text", "mem://a/blob", map[string]string{"tools": "grow", "prompts": "grow_prompts", "resources": "grow_resources"}, false},
	{"tsv2", "mem://a/text", "mem://a/blob", map[string]string{"tools": "grow", "prompts": "grow_prompts", "resources": "grow_resources"}, false},
	{"go25", "", "", map[string]string{"tools": "test_trigger_tool_change", "prompts": "test_trigger_prompt_change"}, true},
	{"go26", "", "", map[string]string{"tools": "test_trigger_tool_change", "prompts": "test_trigger_prompt_change"}, true},
}

// listener is a connection that is to be told of changes.
type listener struct {
	view
	peerClient
	heard [][]byte // all that it was told
}

// count returns how often the listener was told this.
func (l *listener) count(t *testing.T, message string) int {
	t.Helper()
	l.heard = append(l.heard, l.told(t)...)
	n := 0
	for _, heard := range l.heard {
		// What the 2026 era says of the stream is the stream's own.
		if params := without(get(heard, "params"), "_meta"); fmt.Sprintf("%s %s", str(heard, "method"), params) == message {
			n++
		}
	}
	return n
}

func (l *listener) String() string { return l.client.name + " at " + l.where }

// TestDifferentialChanges makes servers change, and all clients, at the servers
// themselves and behind the gateway, must be told the same of each change.
func TestDifferentialChanges(t *testing.T) {
	t.Parallel()
	gateways := []*gateway{startGateway(t), startGateway(t)}
	kinds, servers := clientKinds(t), diffServers(t)
	for i, c := range changings {
		j := slices.IndexFunc(servers, func(s *diffServer) bool { return s.backend == c.backend })
		servers[i], servers[j] = servers[j], servers[i]
	}
	servers = servers[:len(changings)]
	others := startAll(t, servers, func(t *testing.T, s *diffServer) []endpoint { return throughGateway(t, gateways[s.shared], s) })
	for i, c := range changings {
		s, endpoints := servers[i], append([]endpoint{{where: "the server", direct: true}}, others[i]...)
		if c.same {
			endpoints = slices.DeleteFunc(endpoints, func(e endpoint) bool { return e.shared })
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var all []*listener
			for _, k := range kinds {
				for _, e := range endpoints {
					all = append(all, &listener{view: view{e, k, s}, peerClient: e.dial(t, k, kinds, s)})
				}
			}
			actor := dialByHand(t, s.url, s.transport, s.modern)
			act := func(t *testing.T, tool, arguments string) {
				t.Helper()
				if o := actor.do(t, toolOp("", tool, arguments).steps[0]); o.failure != nil {
					t.Fatalf("%s: %s", tool, o.failure)
				}
			}
			if c.once != "" {
				t.Run("resource_updated", func(t *testing.T) { updated(t, c, all, act) })
			}
			for _, kind := range []string{"resources", "prompts", "tools"} {
				if grow := c.grow[kind]; grow != "" {
					t.Run(kind+"_list_changed", func(t *testing.T) { listChangedFor(t, kind, grow, all, act) })
				}
			}
		})
	}
}

// updated subscribes all to two resources, touches them, and sees who is told.
func updated(t *testing.T, c changing, all []*listener, act func(*testing.T, string, string)) {
	say := func(uri string) string { return fmt.Sprintf(`%s {"uri":%q}`, resourceUpdated, uri) }
	touch := func(t *testing.T, uri string) { act(t, "touch", fmt.Sprintf(`{"uri":%q}`, uri)) }
	for _, l := range all {
		for _, uri := range []string{c.once, c.again} {
			o := l.do(t, step{method: "resources/subscribe", params: fmt.Sprintf(`{"uri":%q}`, uri)})
			if o.failure != nil {
				t.Errorf("%s: subscribe to %s: got %s", l, uri, o.failure)
			}
		}
	}
	// Streams open in the background: touch the one resource until everybody has
	// heard of it, and only then the other, which counts.
	everyone(t, all, "to be told of "+c.again, func(l *listener) bool { return l.count(t, say(c.again)) > 0 }, func() { touch(t, c.again) })
	touch(t, c.once)
	everyone(t, all, "to be told of "+c.once, func(l *listener) bool { return l.count(t, say(c.once)) > 0 }, nil)

	for _, l := range all {
		o := l.do(t, step{method: "resources/unsubscribe", params: fmt.Sprintf(`{"uri":%q}`, c.once)})
		if o.failure != nil {
			t.Errorf("%s: unsubscribe from %s: got %s", l, c.once, o.failure)
		}
	}
	touch(t, c.once)
	// What comes after it on the same streams says that it would have come.
	before := map[*listener]int{}
	for _, l := range all {
		before[l] = l.count(t, say(c.again))
	}
	touch(t, c.again)
	everyone(t, all, "to be told of "+c.again+" again", func(l *listener) bool { return l.count(t, say(c.again)) > before[l] }, nil)
	for _, l := range all {
		if n := l.count(t, say(c.once)); n != 1 {
			t.Errorf("%s: told %d times of %s, want once", l, n, c.once)
		}
	}
}

// listChangedFor changes one list, and everybody must be told, and list the same.
func listChangedFor(t *testing.T, kind, grow string, all []*listener, act func(*testing.T, string, string)) {
	say := changedOf(kind) + " {}"
	told := map[*listener]int{}
	everyone(t, all, "to be told of "+kind, func(l *listener) bool { return l.count(t, say) > 0 }, func() { act(t, grow, `{}`) })
	for _, l := range all {
		told[l] = l.count(t, say)
	}
	act(t, grow, `{}`)
	everyone(t, all, "to be told of "+kind+" once more", func(l *listener) bool { return l.count(t, say) > told[l] }, nil)
	list := step{method: kind + "/list", params: "{}"}
	for i := 0; i < len(all); {
		direct := all[i]
		want := direct.do(t, list)
		for i++; i < len(all) && all[i].client.name == direct.client.name; i++ {
			all[i].compare(t, list, want, all[i].do(t, list))
		}
	}
}

// everyone waits until ok says so of each listener. When again is there it is
// called before each look.
func everyone(t *testing.T, all []*listener, what string, ok func(*listener) bool, again func()) {
	t.Helper()
	waiting := slices.Clone(all)
	defer func() {
		if len(waiting) > 0 {
			t.Logf("not %s: %v", what, waiting)
		}
	}()
	eventually(t, "everybody "+what, func() bool {
		if again != nil {
			again()
		}
		waiting = slices.DeleteFunc(waiting, ok)
		return len(waiting) == 0
	})
}
