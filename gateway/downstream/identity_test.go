package downstream

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

type introduction struct {
	Result struct {
		ProtocolVersion   string
		SupportedVersions []string
		Capabilities      map[string]json.RawMessage
		ServerInfo        struct{ Name, Version string }
		Instructions      *string
		Meta              map[string]struct{ Name string } `json:"_meta"`
		ResultType        string
	}
}

// introductions are what both eras are told at an endpoint.
func (h *house) introductions(t *testing.T, path string) (legacy, modern introduction) {
	t.Helper()
	decode(t, h.post(t, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, "Path", path).body, &legacy)
	decode(t, h.post(t, modernCall("1", "server/discover", ""), append(modernHeader("server/discover", ""), "Path", path)...).body, &modern)
	return legacy, modern
}

// At /mcp/<backend> a client meets the backend: its name, its words, what it can.
func TestOneBackendSpeaksAsItself(t *testing.T) {
	h := start(t, nil)
	one := &player{name: "one", server: `{"name":"its own","version":"7","title":"It"}`, instructions: "Do \"this\".",
		capabilities: `{"prompts":{},"resources":{"subscribe":true,"x":1},"tasks":{"list":{}},"experimental":{"y":1e400},"extensions":{"e":{}},"logging":{},"logging":{"twice":1}}`}
	two := &player{name: "two", modern: true, capabilities: `{"tools":{"listChanged":false},"resources":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}`, server: `"no object"`}
	h.stage(one, two)
	legacy, modern := h.introductions(t, "/mcp/one")
	if legacy.Result.ServerInfo.Name != "its own" || legacy.Result.Instructions == nil || *legacy.Result.Instructions != `Do "this".` ||
		modern.Result.Meta["io.modelcontextprotocol/serverInfo"].Name != "its own" || modern.Result.Instructions == nil || modern.Result.ResultType != "complete" {
		t.Errorf("%+v\n%+v", legacy, modern)
	}
	check := func(what string, got map[string]json.RawMessage, want map[string]string) {
		t.Helper()
		for name, value := range want {
			if string(got[name]) != value {
				t.Errorf("%s: %s is %s, want %s", what, name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %s", what, got)
		}
	}
	common := map[string]string{"tools": `{"listChanged":true}`, "prompts": `{"listChanged":true}`, "resources": `{"subscribe":true,"listChanged":true}`, "experimental": `{"y":1e400}`, "logging": `{}`, "extensions": `{"e":{}}`}
	check("modern client", modern.Result.Capabilities, common)
	common["tasks"] = `{"list":{}}`
	check("legacy client", legacy.Result.Capabilities, common)

	legacy, modern = h.introductions(t, "/mcp/two")
	check("legacy client", legacy.Result.Capabilities, map[string]string{"tools": `{"listChanged":true}`, "resources": `{"listChanged":true}`})
	check("modern client", modern.Result.Capabilities, map[string]string{"tools": `{"listChanged":true}`, "resources": `{"listChanged":true}`, "extensions": `{"io.modelcontextprotocol/tasks":{}}`})
	if legacy.Result.ServerInfo.Name != serverName || legacy.Result.Instructions != nil {
		t.Errorf("%+v", legacy)
	}
}

// The aggregate always announces everything, for backends come and go; extensions
// only where one has them, and tasks only to clients of its era.
func TestAggregateAnnouncesEverything(t *testing.T) {
	h := start(t, nil)
	always := []string{"tools", "prompts", "resources", "completions", "logging"}
	for name, test := range map[string]struct {
		players        []*player
		legacy, modern map[string]string // what is there beside
	}{
		"nobody":      {nil, nil, nil},
		"without any": {[]*player{{name: "a", capabilities: `{}`}, {name: "b", modern: true}}, nil, nil},
		"everything": {[]*player{{name: "a", capabilities: `{"tasks":{"list":{}},"extensions":{"x":{"v":1}}}`}, {name: "b", capabilities: `{"tasks":{"cancel":{}},"extensions":{"x":{"v":2},"y":{}}}`},
			{name: "c", modern: true, capabilities: `{"tasks":{"no":{}},"extensions":{"io.modelcontextprotocol/tasks":{},"z\"":{}}}`}},
			map[string]string{"tasks": `{"list":{}}`, "extensions": `{"x":{"v":1},"y":{},"z\"":{}}`},
			map[string]string{"extensions": `{"x":{"v":1},"y":{},"io.modelcontextprotocol/tasks":{},"z\"":{}}`}},
	} {
		h.stage(test.players...)
		legacy, modern := h.introductions(t, "/mcp")
		for era, in := range map[string]struct {
			got    introduction
			beside map[string]string
		}{"legacy": {legacy, test.legacy}, "modern": {modern, test.modern}} {
			for _, c := range always {
				if in.got.Result.Capabilities[c] == nil {
					t.Errorf("%s, %s: no %s", name, era, c)
				}
			}
			for c, want := range in.beside {
				if string(in.got.Result.Capabilities[c]) != want {
					t.Errorf("%s, %s: %s is %s", name, era, c, in.got.Result.Capabilities[c])
				}
			}
			if len(in.got.Result.Capabilities) != len(always)+len(in.beside) {
				t.Errorf("%s, %s: %s", name, era, in.got.Result.Capabilities)
			}
		}
		if legacy.Result.ServerInfo.Name != serverName || modern.Result.SupportedVersions[0] != "2026-07-28" || len(modern.Result.SupportedVersions) != 5 {
			t.Errorf("%s: %+v %+v", name, legacy, modern)
		}
	}
}

// Instructions of many are told apart, cut, and bounded.
func TestInstructionsAreBounded(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "a", instructions: " Do this.\n"}, &player{name: "b"}, &player{name: "c", instructions: strings.Repeat("ö", maxOne)})
	legacy, modern := h.introductions(t, "/mcp")
	text := *legacy.Result.Instructions
	if !strings.HasPrefix(text, "## a\nDo this.\n\n## c\nöö") || !strings.HasSuffix(text, "ö…") || strings.Contains(text, "## b") || len(text) > 2*maxOne || !utf8.ValidString(text) || *modern.Result.Instructions != text {
		t.Errorf("%d bytes: %.100q … %q", len(text), text, text[len(text)-10:])
	}
	long := strings.Repeat("x", 1<<18)
	for _, n := range []int{1, 3, 100, 1000} {
		var all []*Backend
		for range n {
			all = append(all, &Backend{Name: "backend", Instructions: long})
		}
		if got := joined(all); len(got) > maxInstructions+n*len("## backend\n…\n\n") && n <= 100 || len(got) > 2*maxInstructions || !strings.Contains(got, "xxx") && n <= 100 {
			t.Errorf("%d backends: %d bytes", n, len(got))
		}
	}
}
