package docker

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
)

func TestDefaultName(t *testing.T) {
	compose := func(project, service string) map[string]string {
		return map[string]string{labelComposeProject: project, labelComposeService: service, labelComposeNumber: "1"}
	}
	tests := []struct {
		container  string
		labels     map[string]string
		want, from string
	}{
		{"shop-github-1", compose("shop", "github"), "github", "compose service"},
		{"shop-github-1", compose("shop", "GitHub_MCP"), "github-mcp", "compose service"},
		{"x.1.abc", map[string]string{labelSwarmService: "stack_files", labelSwarmStack: "stack"}, "files", "swarm service"},
		{"x.1.abc", map[string]string{labelSwarmService: "files"}, "files", "swarm service"},
		{"shop-github-1", compose("shop", ""), "github", "container name"},
		{"shop_github_1", compose("shop", ""), "github", "container name"},
		{"shop-github-2", compose("shop", ""), "github-2", "container name"},
		{"github", map[string]string{labelComposeProject: "shop", labelComposeService: "demo"}, "github", "container name"}, // of an image that compose built
		{"github-1", nil, "github-1", "container name"},
		{"Quirky.Name__x", nil, "quirky-name-x", "container name"},
		{"_", nil, "", "container name"},
		{"a-very-long-name-that-goes-on-and-on-and-on", nil, "a-very-long-name-that-goes-on-an", "container name"},
		{"a-very-long-name-that-goes-on-a-dash", nil, "a-very-long-name-that-goes-on-a", "container name"},
	}
	for _, tt := range tests {
		if got, from := defaultName(tt.container, tt.labels); got != tt.want || from != tt.from {
			t.Errorf("defaultName(%q, %v) = %q, %q; want %q, %q", tt.container, tt.labels, got, from, tt.want, tt.from)
		}
	}
}

func FuzzDefaultName(f *testing.F) {
	f.Add("shop-github-1", "shop", "")
	f.Add("x", "", "Häkchen_Dienst")
	f.Fuzz(func(t *testing.T, container, project, service string) {
		got, _ := defaultName(container, map[string]string{labelComposeProject: project, labelComposeService: service, labelComposeNumber: "1"})
		if err := discovery.CheckName(got); got != "" && err != nil && !strings.Contains(err.Error(), "reserved") {
			t.Fatalf("defaultName(%q, %q, %q) = %q: %v", container, project, service, got, err)
		}
		if toName(got) != got {
			t.Fatalf("toName(%q) = %q: a name changes when it is made a name", got, toName(got))
		}
	})
}
