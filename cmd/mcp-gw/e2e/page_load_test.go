package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic calls a tool at a steady rate for a while, and returns how many calls there
// were.
func traffic(t *testing.T, url, tool string, perSecond int, length time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	turns := make(chan int, perSecond)
	var calls atomic.Int64
	var callers sync.WaitGroup
	for i := range 8 {
		client := dial(t, url, i%2 == 1)
		callers.Go(func() {
			for n := range turns {
				// Until the end of the turns, not of ctx: no call is cut off.
				if _, err := client.try(t.Context(), callTool(tool, fmt.Sprintf(`{"n":%d,"query":"is:open label:bug"}`, n))); err == nil {
					calls.Add(1)
				}
			}
		})
	}
	const beat = 20 * time.Millisecond
	tick := time.NewTicker(beat)
	defer tick.Stop()
	begun := time.Now()
	for n := 0; ctx.Err() == nil; <-tick.C {
		for due := int(time.Since(begun).Seconds() * float64(perSecond)); n < due; n++ {
			select {
			case turns <- n:
			default: // the machine is behind, and what is due later comes later
				due = n
			}
		}
	}
	close(turns)
	callers.Wait()
	return int(calls.Load())
}

// cost is what a page has used.
type cost struct {
	BusyMs, HeapBytes, Nodes, After float64
}

// 500 events a second for ten seconds, a call being two: the page's main thread is
// busy for less than half of it, its memory stays as it is, and filter and pause are
// there at once.
func TestPageStoryFiveHundredEventsASecond(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t, "MCP_GW_LOG_LEVEL=warn")
	s := newStub(t, false, false).tool("busy", fixed(`"result":{"content":[{"type":"text","text":"ok"}]}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/traffic", look{})
	tb.heading(t, pages[1])
	measure := func() cost { return valueOf[cost](t, tb.do(t, "cost", nil)) }
	const length = 10 * time.Second

	before := measure()
	begun := time.Now()
	calls := traffic(t, g.mcp(), "b__busy", 250, length)
	took := time.Since(begun)
	first := measure()
	share := (first.BusyMs - before.After) / float64(took.Milliseconds())
	t.Logf("%d calls in %v: the main thread was busy for %.0f %% of it; heap %.1f MB after %.1f MB, %.0f nodes", calls, took.Round(time.Millisecond), 100*share, first.HeapBytes/1e6, before.HeapBytes/1e6, first.Nodes)
	if calls < 2000 {
		t.Errorf("only %d calls were made, which says nothing", calls)
	}
	tb.says(t, "main", fmt.Sprintf(`\b%d,%03d calls`, calls/1000, calls%1000)) // it has them all
	if share > 0.5 {
		t.Errorf("the main thread was busy for %.0f %% of the time", 100*share)
	}

	var driving sync.WaitGroup
	driving.Go(func() { traffic(t, g.mcp(), "b__busy", 250, length) })
	time.Sleep(2 * time.Second)
	const at = `(async () => {
		const began = performance.now();
		ACT
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
		return performance.now() - began;
	})()`
	// What is done once may meet a moment in which the machine does something else; a
	// page that is slow is so every time.
	for what, act := range map[string]string{
		"filter": `const box = document.querySelector("main input[type=search], main input[type=text], main input:not([type])");
			Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, box.value === "busy" ? "bus" : "busy"); box.dispatchEvent(new Event("input", {bubbles: true}));`,
		"pause": `[...document.querySelectorAll("main button")].find((b) => /pause|resume/i.test(b.textContent + b.ariaLabel)).click();`,
	} {
		var took []float64
		for len(took) < 3 {
			took = append(took, evaluate[float64](t, tb, strings.Replace(at, "ACT", act, 1)))
		}
		t.Logf("%s took %.0f ms under load", what, took)
		if slices.Min(took) > 500 {
			t.Errorf("%s took %.0f ms under load", what, took)
		}
	}
	tb.says(t, "main", `(?i)resume`)
	driving.Wait()
	second := measure()
	t.Logf("heap %.1f MB after ten more seconds, %.0f nodes", second.HeapBytes/1e6, second.Nodes)
	if grown := second.HeapBytes - first.HeapBytes; grown > 15e6 || second.HeapBytes > 100e6 {
		t.Errorf("the heap grew by %.1f MB to %.1f MB", grown/1e6, second.HeapBytes/1e6)
	}
}
