package conformance

import (
	"fmt"
	"testing"
)

const (
	legacy = "2025-11-25"
	modern = "2026-07-28"
)

// TestServer runs what both revisions require of servers: against the reference
// servers, and against the gateway with each of them behind it.
func TestServer(t *testing.T) {
	t.Parallel() // the suite waits most of the time
	// What the suite does to a server stays with it (a tool that is added), so
	// the direct runs have servers of their own.
	direct := map[string]string{legacy: startReference(t, false), modern: startReference(t, true)}
	reference := map[string][]outcome{}
	for revision, url := range direct {
		reference[revision] = serverScenarios(t, revision, url)
	}
	passes := func(revision string) func(string) bool {
		return func(scenario string) bool {
			for _, o := range reference[revision] {
				if o.scenario == scenario {
					return len(o.missed()) == 0
				}
			}
			return false
		}
	}
	t.Run("legacy client, legacy reference directly", func(t *testing.T) {
		judge(t, "server: legacy client, legacy reference directly", reference[legacy], nil)
	})
	t.Run("modern client, modern reference directly", func(t *testing.T) {
		judge(t, "server: modern client, modern reference directly", reference[modern], nil)
	})
	t.Run("legacy client, modern reference directly", func(t *testing.T) {
		judge(t, "server: legacy client, modern reference directly", serverScenarios(t, legacy, direct[modern]), nil)
	})

	backends := map[string]string{legacy: "legacy", modern: "modern"}
	behind := map[string]string{legacy: startReference(t, false), modern: startReference(t, true)}
	g, err := startGateway(bin.gateway, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.stop()
		if t.Failed() {
			said := g.said.String()
			t.Logf("the gateway's last output:\n%s", said[max(0, len(said)-20_000):])
		}
		if sign := g.complaint(); sign != "" {
			t.Errorf("the gateway said %q", sign)
		}
	})
	for revision, name := range backends {
		if err := g.connect(name, behind[revision]); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range []struct{ client, backend string }{
		{legacy, legacy}, {modern, modern}, {modern, legacy}, {legacy, modern},
	} {
		name := fmt.Sprintf("%s client, %s backend", backends[pair.client], backends[pair.backend])
		t.Run(name, func(t *testing.T) {
			outcomes := serverScenarios(t, pair.client, g.mcp(backends[pair.backend]))
			judge(t, "server: "+name, outcomes, passes(pair.client))
		})
	}
}

// startReference starts the Go SDK's reference server, with sessions (legacy) or
// without (modern), and returns its address.
func startReference(t *testing.T, modern bool) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	p, err := start("the reference server", nil, bin.server, "-http", address, fmt.Sprintf("-stateless=%v", modern))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	if err := p.await("it to listen", func() bool { return answers("http://"+address+"/mcp", 0) }); err != nil {
		t.Fatal(err)
	}
	return "http://" + address + "/mcp"
}
