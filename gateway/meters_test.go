package gateway_test

import (
	"fmt"
	"strings"
	"testing"
)

// A backend that lists other tools each time leaves no meters behind.
func TestMetersOfToolsThatAreGoneAreForgotten(t *testing.T) {
	g, _ := run(t)
	b := newBox(t, true)
	tools := func(round int) string {
		all := make([]string, 600)
		for i := range all {
			all[i] = fmt.Sprintf(`{"name":"t%d_%d","inputSchema":{"type":"object"}}`, round, i)
		}
		return strings.Join(all, ",")
	}
	b.set("tools", tools(0))
	g.Put(docker(at("b", b.url)))
	for round := range 6 {
		if round > 0 {
			b.set("tools", tools(round))
			b.tell("notifications/tools/list_changed", "")
		}
		await(t, "the new tools", func() bool { return strings.HasPrefix(toolNames(g), fmt.Sprintf("b__t%d_", round)) })
	}
	if n := g.Journal().Meters(); n > 3*600 {
		t.Errorf("%d meters are kept for 600 tools", n)
	}
}
