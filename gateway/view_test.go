package gateway

import (
	"testing"

	"mcp-gw/discovery"
)

// A backend that is only being connected is no news: were it told, what it has would
// wait until clients may be told again.
func TestNothingIsToldOfABackendThatHasNothingYet(t *testing.T) {
	g := New(Config{})
	defer g.stopAll()
	before := g.changes
	g.Put(discovery.SourceManual, []discovery.Backend{{Name: "x", Source: discovery.SourceManual,
		URL: "http://127.0.0.1:1/mcp", Transport: discovery.TransportHTTP, Groups: []string{"dev"}}})
	g.reconcile()
	g.rebuild()
	view := g.view.Load()
	if view.Scopes["x"] == nil || view.Scopes["dev"] == nil {
		t.Fatalf("there are no endpoints for it: %v", view.Scopes)
	}
	if g.changes != before {
		t.Errorf("%d changes were told of", g.changes-before)
	}
	first := view.Scopes["x"].Versions
	g.Put(discovery.SourceManual, nil)
	g.reconcile()
	g.rebuild()
	g.Put(discovery.SourceManual, []discovery.Backend{{Name: "x", Source: discovery.SourceManual,
		URL: "http://127.0.0.1:1/mcp", Transport: discovery.TransportHTTP}})
	g.reconcile()
	g.rebuild()
	if again := g.view.Load().Scopes["x"].Versions; again == first {
		t.Errorf("an endpoint that came anew has the versions of the one before: %v", again)
	}
}
