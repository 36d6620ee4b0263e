package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

func off(backend string, tools ...string) discovery.Switches {
	set := map[string]bool{}
	for _, t := range tools {
		set[t] = true
	}
	return discovery.Switches{Tools: map[string]map[string]bool{backend: set}}
}

// A tool that is switched off is in no list and cannot be called at any endpoint, by
// whatever name clients knew it, and a call says so.
func TestToolsAreSwitchedOff(t *testing.T) {
	gh := "gh_"
	for name, tt := range map[string]struct {
		shape             discovery.Shape
		called            string // what clients knew it by
		plain, all, alone string
	}{
		"usual":    {discovery.Shape{}, "b__put", "put", "b__get b__delete_one b__delete_all", "get delete_one delete_all"},
		"renamed":  {discovery.Shape{Rename: map[string]string{"put": "write"}}, "b__write", "write", "b__get b__delete_one b__delete_all", "get delete_one delete_all"},
		"prefixed": {discovery.Shape{Prefix: &gh}, "gh_put", "put", "gh_get gh_delete_one gh_delete_all", "get delete_one delete_all"},
	} {
		t.Run(name, func(t *testing.T) {
			g, url := run(t)
			b := newBox(t, true)
			b.set("tools", fourTools)
			want := at("b", b.url)
			want.Groups = []string{"dev"}
			g.Put(docker(shaped(want, tt.shape)))
			await(t, "connecting", func() bool { return strings.Contains(listed(t, url, "modern"), tt.called) })
			g.Switch(off("b", "put"))
			g.WaitSwitched(t.Context())
			for path, want := range map[string]string{"": tt.all, "/dev": tt.all, "/b": tt.alone} {
				for _, era := range []string{"modern", "legacy"} {
					if got := listed(t, url+path, era); got != want {
						t.Errorf("%s at /mcp%s: %q, want %q", era, path, got, want)
					}
				}
				name, own := tt.called, "b__put"
				if path == "/b" {
					name, own = tt.plain, "put"
				}
				_, body := modern(t, url+path, "tools/call", name, `"name":"`+name+`","arguments":{}`)
				if said := `Error: Tool \"` + name + `\" is switched off in the gateway`; !strings.Contains(body, said) {
					t.Errorf("call at /mcp%s: %s", path, body)
				}
				for _, method := range []string{"tools/call", "x/describe"} {
					if _, body := modern(t, url+path, method, own, `"name":"`+own+`"`); strings.Contains(body, "called") || strings.Contains(body, `"result":{}`) {
						t.Errorf("%s of %s at /mcp%s: %s", method, own, path, body)
					}
				}
			}
			states := g.Catalogue().Tools
			i := slices.IndexFunc(states, func(s gateway.ToolState) bool { return s.Name == tt.called })
			if len(states) != 4 || i < 0 || states[i].Enabled || states[i].OriginalName != "put" || states[i].Locked+states[i].Hidden != "" {
				t.Errorf("the catalogue has %+v", states)
			}
			if s, _ := g.Backend("b"); s.ToolCount != 4 || s.EnabledTools != 3 || len(s.Tools) != 3 {
				t.Errorf("%d of %d tools, %d shown", s.EnabledTools, s.ToolCount, len(s.Tools))
			}

			g.Switch(discovery.Switches{})
			g.WaitSwitched(t.Context())
			if _, body := modern(t, url, "tools/call", tt.called, `"name":"`+tt.called+`","arguments":{}`); !strings.Contains(body, "called tools/call") {
				t.Errorf("switched on: %s", body)
			}
		})
	}
}

// Switches stand before backends come, stay over what labels change, and a batch of
// them is one change of the list.
func TestABatchOfSwitchesIsToldOnce(t *testing.T) {
	g, url := runWith(t, gateway.Config{}, func(g *gateway.Gateway) { g.Switch(off("b", "put")) })
	b := newBox(t, true)
	b.set("tools", fourTools)
	g.Put(docker(at("b", b.url)))
	await(t, "connecting", func() bool { return listed(t, url, "modern") == "b__get b__delete_one b__delete_all" })
	f := follow(t, url)
	before := int32(-1)
	for before != f.told.Load() { // until all that there is to tell of the connecting has been told
		before = f.told.Load()
		time.Sleep(700 * time.Millisecond)
	}
	g.Switch(off("b", "put", "get", "delete_one"))
	await(t, "being told", func() bool { return f.told.Load() > before })
	time.Sleep(600 * time.Millisecond)
	if n := f.told.Load() - before; n != 1 {
		t.Errorf("told %d times", n)
	}
	if got := listed(t, url, "legacy"); got != "b__delete_all" {
		t.Errorf("listed are %q", got)
	}
	g.Switch(off("b", "put", "get", "delete_one")) // nothing else than before
	g.WaitSwitched(t.Context())
	time.Sleep(300 * time.Millisecond)
	if n := f.told.Load() - before; n != 1 {
		t.Errorf("told %d times of nothing", n)
	}
}

// A backend that is switched off is not connected, whoever wants it and however often
// its process starts; it stays known.
func TestBackendsAreSwitchedOff(t *testing.T) {
	g, url := run(t)
	b := newBox(t, false)
	want := at("b", b.url)
	want.Generation = "1"
	g.Put(docker(want))
	await(t, "connecting", func() bool { return listed(t, url, "modern") == "b__echo" })
	g.Switch(discovery.Switches{Backends: map[string]bool{"b": true}})
	g.WaitAttempt(t.Context(), "b")
	disabled := func(when string) {
		t.Helper()
		s, ok := g.Backend("b")
		if !ok || s.Enabled || s.Status != "disconnected" || s.State != "disabled" || s.Health != "disabled" || s.DisabledBy != "dashboard" {
			t.Errorf("%s: %+v", when, s)
		}
		if _, body := modern(t, url, "tools/call", "b__echo", `"name":"b__echo"`); !strings.Contains(body, `Backend \"b\" is not connected: it is switched off`) {
			t.Errorf("%s: call: %s", when, body)
		}
		if _, body := modern(t, url+"/b", "tools/call", "echo", `"name":"echo"`); !strings.Contains(body, "it is switched off") {
			t.Errorf("%s: call at its own endpoint: %s", when, body)
		}
	}
	disabled("switched off")
	opened := func() int { b.mu.Lock(); defer b.mu.Unlock(); return b.opened }
	before := opened()
	want.Generation = "2"
	g.Put(docker(want))
	g.WaitAttempt(t.Context(), "b")
	disabled("after a restart")
	if n := opened(); n != before {
		t.Errorf("it was connected %d times", n-before)
	}
	g.Switch(discovery.Switches{})
	g.WaitAttempt(t.Context(), "b")
	if got := listed(t, url, "modern"); got != "b__echo" {
		t.Errorf("switched on: %q", got)
	}
	if s, _ := g.Backend("b"); s.Health != "healthy" || s.DisabledBy != "" || s.ToolCount != 1 || s.Tokens < 10 || len(s.Beats) == 0 {
		t.Errorf("switched on: %+v", s)
	}
}

// What clients do not see is in the catalogue all the same, with why.
func TestTheCatalogueSaysWhyToolsAreNotShown(t *testing.T) {
	g, _ := run(t)
	b, unwell := newBox(t, true), newBox(t, true)
	b.set("tools", fourTools+`,{"name":"get","inputSchema":{"type":"object"}}`)
	labelled := shaped(at("b", b.url), discovery.Shape{Exclude: []string{"delete_*"}, Rename: map[string]string{"put": "delete_all"}})
	withheld := at("w", unwell.url)
	withheld.Withheld = "its container is unhealthy"
	g.Put(docker(labelled, withheld))
	await(t, "connecting", func() bool {
		s, _ := g.Backend("b")
		w, _ := g.Backend("w")
		return s.State == "ready" && w.State == "degraded"
	})
	await(t, "the catalogue", func() bool { return len(g.Catalogue().Tools) == 6 })
	const doubled = "another tool of its backend has its name already, and a call could reach only one of the two"
	want := map[string][3]string{ // name: own name, locked, hidden
		"b__get":          {"get"},
		"b__get#2":        {"get", doubled, doubled},
		"b__delete_all":   {"put"},
		"b__delete_all#2": {"delete_all", "the label mcp-gw.tools.exclude=delete_* excludes it"},
		"b__delete_one":   {"delete_one", "the label mcp-gw.tools.exclude=delete_* excludes it"},
		"w__echo":         {"echo", "", "its container is unhealthy"},
	}
	for _, s := range g.Catalogue().Tools {
		if got := [3]string{s.OriginalName, s.Locked, s.Hidden}; got != want[s.Name] {
			t.Errorf("%s: %q, want %q", s.Name, got, want[s.Name])
		}
		if s.Tokens < 5 || s.TokenParts.Sum() != s.Tokens {
			t.Errorf("%s costs %d, %+v", s.Name, s.Tokens, s.TokenParts)
		}
	}
	if got := toolNames(g); got != "b__delete_all b__get" {
		t.Errorf("clients see %q", got)
	}
	c := g.Catalogue()
	if len(c.Prompts) != 1 || c.Prompts[0].Name != "b__greet" || len(c.Resources) != 1 || c.Resources[0].OriginalURI != "file:///a" ||
		len(c.Templates) != 1 || c.Templates[0].URITemplate != "file:///{+path}" {
		t.Errorf("%+v", c)
	}
}

// Tools of one name that a label hides get names for people; these do not grow.
func TestHiddenToolsOfOneName(t *testing.T) {
	g, _ := run(t)
	b := newBox(t, true)
	b.set("tools", strings.TrimSuffix(strings.Repeat(`{"name":"x","inputSchema":{"type":"object"}},`, 100), ","))
	g.Put(docker(shaped(at("b", b.url), discovery.Shape{Exclude: []string{"x"}})))
	await(t, "the tools", func() bool { return len(g.Catalogue().Tools) == 100 })
	seen := map[string]bool{}
	for _, tool := range g.Catalogue().Tools {
		if seen[tool.Name] || len(tool.Name) > len("b__x#100") {
			t.Fatalf("named %q", tool.Name)
		}
		seen[tool.Name] = true
	}
}
