package catalog

import "testing"

func TestOrigin(t *testing.T) {
	s := Build([]Source{
		has(t, "c", "x:1", "x:{id}", "x:long-{id}", "ui://c/own", "y:{+rest}"),
		has(t, "b", "x:1", "x:{id}", "x:{name}", "ui://{app}", "z://{p}/{q}"),
		has(t, "a", "x:2", "ui://b/mine", "ui://{app}", "z://{q}/{p}"),
		has(t, "my_d"),
	}, Options{})
	tests := []struct{ exposed, want string }{ // want: backend and URI
		{"x:2", "a x:2"},
		{"mcp-gw+c+x:1", "c x:1"},
		{"mcp-gw+b+x:1", "b x:1"},
		{"x:1", "b x:1"},       // as it is listed by both: the first by name
		{"x:{id}", "b x:{id}"}, // completion names templates
		{"mcp-gw+c+x:{id}", "c x:{id}"},
		{"mcp-gw+c+x:99", "c x:99"}, // what a client makes of it
		{"x:99", "b x:99"},
		{"x:long-9", "c x:long-9"}, // more literal
		{"y:a/b", "c y:a/b"},
		{"z://1/2", "a z://1/2"}, // equally literal: the first by name
		{"ui://b+2/app", "b ui://app"},
		{"ui://b/app", "b ui://app"}, // the form that b does not write while a lists ui://b/mine
		{"ui://b/mine", "a ui://b/mine"},
		{"ui://app", "a ui://app"},
		{"ui://c/own", "c ui://c/own"},
		// In no list: the scheme is the gateway's own, a host is anybody's.
		{"mcp-gw+a+other://1", "a other://1"},
		{"mcp-gw-7+my.5fd+other://1", "my_d other://1"},
		{"ui://c/other", "-"},
		{"mcp-gw+nobody+x:1", "-"},
		{"mcp-gw+a+", "-"},
		{"mcp-gw+a+other", "-"},
		{"other://1", "-"},
		{"", "-"},
	}
	for _, tt := range tests {
		got := "-"
		if backend, uri, ok := s.Origin(tt.exposed); ok {
			got = backend + " " + uri
		}
		if got != tt.want {
			t.Errorf("Origin(%q) = %s, want %s", tt.exposed, got, tt.want)
		}
	}
	if _, _, ok := Build(nil, Options{}).Origin("x:1"); ok {
		t.Error("an empty catalogue knows a URI")
	}
}

// A form that a client keeps stays good when the URI is nobody else's any more,
// and so does the plain one from before.
func TestOriginAfterwards(t *testing.T) {
	a, b := has(t, "a", "x:1", "ui://x", "y:{z}"), has(t, "b", "x:1", "ui://x", "y:{z}")
	before := Build([]Source{a, b}, Options{})
	after := Build([]Source{b}, Options{})
	for _, own := range []string{"x:1", "ui://x", "y:7"} {
		exposed, ok := before.Rewrites("b").Expose(own)
		if !ok {
			t.Fatalf("%s is not rewritten", own)
		}
		if got, ok := before.Rewrites("b").Expose("other:" + own); ok {
			t.Errorf("what matches no template becomes %q", got)
		}
		for _, s := range []*Snapshot{before, after} {
			if backend, uri, ok := s.Origin(exposed); !ok || backend != "b" || uri != own {
				t.Errorf("Origin(%q) = %q, %q, %t", exposed, backend, uri, ok)
			}
		}
		if backend, uri, ok := after.Origin(own); !ok || backend != "b" || uri != own {
			t.Errorf("Origin(%q) = %q, %q, %t", own, backend, uri, ok)
		}
	}
	if r := after.Rewrites("b"); r != nil {
		t.Errorf("b alone has a Rewriter: %+v", r)
	}
	if got, ok := after.Rewrites("b").Expose("x:1"); ok || got != "x:1" {
		t.Errorf("a Rewriter of nothing writes %q, %t", got, ok)
	}
}
