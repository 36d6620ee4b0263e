package e2e

import (
	"fmt"
	"testing"
	"time"
)

// card is a backend's card on the overview.
func card(name string) string {
	return fmt.Sprintf(`main >> article:has(:text-is(%q))`, name)
}

// A server dies, and its card says why and when it is tried again.
func TestPageStoryAServerDies(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t, "MCP_GW_PING_INTERVAL=1s")
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "mortal", s.url, "http")
	tb := b.open(t, g.url, "#/", look{})
	tb.says(t, card("mortal"), `(?i)healthy`)
	s.server.Close()
	tb.says(t, card("mortal"), `(?is)down.*refused.*(retr|tried again|next try).* \d+ s`)
}

// A container appears, and its card is there within a second.
func TestPageStoryAContainerArrives(t *testing.T) {
	b := sharedBrowser(t)
	g := watchedByPage(t)
	tb := b.open(t, g.url, "#/", look{})
	tb.heading(t, pages[0])
	best := time.Hour
	for range 3 { // the machine has other things to do: the best of three
		docker(t, "run", "-d", "--name=page-arrives", "--network="+pageNet, "--label=mcp-gw.port=8080", pageImage)
		took := took(func() { tb.says(t, card("page-arrives"), `(?i)healthy`) })
		best = min(best, took)
		t.Logf("docker run returned, and the card was there after %v", took.Round(time.Millisecond))
		docker(t, "rm", "-f", "page-arrives")
		tb.gone(t, card("page-arrives"))
		if best < time.Second {
			return
		}
	}
	t.Errorf("the card of a container was there after %v at best, want a second", best)
}
