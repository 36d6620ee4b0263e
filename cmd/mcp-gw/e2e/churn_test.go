package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// An upgrade changes what answers at the same address: the era is found anew,
// within the clients' open sessions.
func TestBackendThatChangesItsEra(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, before := range []bool{false, true} {
		t.Run(eraName(before)+" first", func(t *testing.T) {
			name := eraName(before)
			old := newStub(t, before, false).tool("both", fixed(`"result":{"content":[],"from":"old","resultType":"complete"}`)).
				tool("leaves", fixed(`"result":{}`))
			g.connect(t, name, old.url, "http")
			clients := []*rawClient{dialLegacy(t, g.mcp()), dialModern(t, g.mcp())}
			onGet, _ := clients[0].listen(t)
			onListen, _ := clients[1].listen(t)
			for _, c := range clients {
				c.must(t, callTool(name+"__both", `{}`))
			}
			old.server.Close()
			fresh := newStubAt(t, strings.TrimSuffix(strings.TrimPrefix(old.url, "http://"), "/mcp"), !before, false).
				tool("both", fixed(`"result":{"content":[],"from":"fresh","resultType":"complete"}`)).
				tool("comes", fixed(`"result":{"content":[],"resultType":"complete"}`))
			for i, c := range clients {
				got, err := c.try(t.Context(), callTool(name+"__both", `{}`))
				if bytes.Contains(got.final, []byte("closed the connection")) {
					// The call met the connection in the moment of its end: whether it ran
					// cannot be known, so failing is right, once.
					got, err = c.try(t.Context(), callTool(name+"__both", `{}`))
				}
				if err != nil || str(got.result(), "from") != "fresh" {
					t.Errorf("%s client: got %v %v, want an answer of the new backend", eraName(c.modern), got, err)
				}
				awaitTool(t, c, []<-chan []byte{onGet, onListen}[i], name+"__comes", true)
				awaitGone(t, c, name+"__leaves")
				c.must(t, callTool(name+"__comes", `{}`))
			}
			if got := str(g.backend(t, name), "era"); got != eraName(!before) || fresh.modern == before {
				t.Errorf("era: got %q, want %q", got, eraName(!before))
			}
		})
	}
}

func awaitGone(t *testing.T, c *rawClient, name string) {
	t.Helper()
	eventually(t, name+" to be no longer listed", func() bool { return c.tools(t)[name] == nil })
}

// newStubAt is newStub at an address that another one has just left.
func newStubAt(t *testing.T, address string, modern, stream bool) *stub {
	t.Helper()
	var l net.Listener
	eventually(t, address+" to be free", func() bool {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	return newStubOn(t, l, modern, stream)
}

// Backends come, change, go and come back all the time, while clients call one
// that stays: none of its calls fails, and no list is without it.
func TestChurnTouchesNobodyElse(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	steady := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "steady", steady.url, "http")
	calls := startLoop(t, g, "steady__fine")
	urls := []string{
		newStub(t, false, false).tool("x", fixed(`"result":{"content":[]}`)).url,
		newStub(t, true, true).tool("y", fixed(`"result":{"content":[]}`)).url,
		fmt.Sprintf("http://127.0.0.1:%d/mcp", freePort(t)),
	}
	lister := dialModern(t, g.mcp())
	for i := range 40 {
		name := fmt.Sprintf("churn%d", i%5)
		if i%4 == 3 {
			g.api(t, http.MethodDelete, "/api/backends/"+name, "")
		} else {
			g.register(t, name, urls[i%len(urls)], "http")
		}
		if lister.tools(t)["steady__fine"] == nil {
			t.Errorf("round %d: the steady tool is not listed", i)
		}
	}
	calls.stop(t)
}

// A backend is deleted or replaced under a call: the call ends at once, for the
// client with a reason and at the backend too, and no session is left there.
func TestCallsOfARemovedBackendEnd(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	other := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
	for _, backend := range []bool{false, true} {
		for _, client := range []bool{false, true} {
			for _, how := range []string{"deleted", "replaced"} {
				t.Run(fmt.Sprintf("%s client, %s backend %s", eraName(client), eraName(backend), how), func(t *testing.T) {
					s := newStub(t, backend, backend)
					h := addHanging(s, "hang")
					g.connect(t, "b", s.url, "http")
					c := dial(t, g.mcp(), client)
					answers := make(chan answer, 1)
					go func() {
						got, err := c.try(t.Context(), callTool("b__hang", `{}`))
						if err != nil {
							t.Error(err)
						}
						answers <- got
					}()
					receive(t, "the call to start", h.started)
					if how == "deleted" {
						g.api(t, http.MethodDelete, "/api/backends/b", "")
					} else {
						g.register(t, "b", other.url, "http")
						c.must(t, callTool("b__fine", `{}`))
					}
					if got := receive(t, "the answer to the call under way", answers); !isFailure(got) {
						t.Errorf("the call under way got %v, want an error", got)
					}
					if was := receive(t, "the call to end at the backend", h.ended); was != "cancelled" {
						t.Errorf("the call was %s at the backend, want cancelled", was)
					}
					eventually(t, "the sessions at the backend to be ended", func() bool {
						s.mu.Lock()
						defer s.mu.Unlock()
						return len(s.sessions) == 0
					})
				})
			}
		}
	}
}

// Who reads the log stream slowly, or not at all, is cut off rather than waited
// for.
func TestLogReaderThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	for range 3 {
		resp, err := http.Get(g.url + "/api/logs/stream")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	c := dialModern(t, g.mcp())
	arguments := `{"x":"` + strings.Repeat("x", 2000) + `"}`
	for range 3000 { // some 12 MB of log
		c.must(t, callTool("b__fine", arguments))
	}
}
