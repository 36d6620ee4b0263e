package api

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"mcp-gw/discovery"
)

func (h *realHouse) tools(t *testing.T) toolsAnswer {
	t.Helper()
	status, body := h.call(t, "GET", "/api/tools", "")
	var a toolsAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 {
		t.Fatalf("%d %v %s", status, err, body)
	}
	return a
}

func TestTools(t *testing.T) {
	h := newRealHouse(t)
	h.want(t, "GET", "/api/tools", "", 200, `{"tools":[],"tokens":0,"total":0,"exposed":0,"savedIn":"`+h.board+`"}`)
	h.want(t, "GET", "/api/resources", "", 200, `{"resources":[],"templates":[]}`)
	h.want(t, "GET", "/api/prompts", "", 200, `{"prompts":[]}`)
	h.register(t, "a", newMCPServer(t).url)
	a := h.tools(t)
	if a.Total != 3 || a.Exposed != 3 || len(a.Tools) != 3 {
		t.Fatalf("%+v", a)
	}
	sum := 0
	for _, tool := range a.Tools {
		sum += tool.Tokens
		if !tool.Enabled || tool.Backend != "a" || tool.Name != "a__"+tool.OriginalName || tool.Tokens != tool.TokenParts.Sum() || tool.SavedIn != "" {
			t.Errorf("%+v", tool)
		}
	}
	// {"name":"a__get","description":"reads one","input_schema":{"type":"object"}}
	if get := a.Tools[1]; get.Name != "a__get" || get.Tokens != (76+3)/4 || !strings.Contains(string(get.Tool), `"annotations":{"readOnlyHint":true}`) {
		t.Errorf("%+v", get)
	}
	if sum != a.Tokens {
		t.Errorf("the sum is %d, not %d", sum, a.Tokens)
	}
	h.want(t, "GET", "/api/resources", "", 200, `{"resources":[{"uri":"file:///a","backend":"a","originalUri":"file:///a","resource":{"uri":"file:///a","name":"a"}}],`+
		`"templates":[{"uriTemplate":"file:///{+path}","backend":"a","originalUriTemplate":"file:///{+path}","template":{"uriTemplate":"file:///{+path}","name":"t"}}]}`)
	h.want(t, "GET", "/api/prompts", "", 200, `{"prompts":[{"name":"a__greet","backend":"a","originalName":"greet","prompt":{"name":"greet","title":"<b>"}}]}`)
}

func TestToolsAreSwitched(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "a", newMCPServer(t).url)
	status, body := h.call(t, "PATCH", "/api/tools/a__put", `{"enabled":false}`)
	if status != 200 || !strings.Contains(body, `"name":"a__put"`) || !strings.Contains(body, `"enabled":false`) || field(t, body, "savedIn") != `"`+h.board+`"` {
		t.Errorf("%d %s", status, body)
	}
	if a := h.tools(t); a.Total != 3 || a.Exposed != 2 || a.Tools[2].Enabled || a.Tools[2].SavedIn != h.board {
		t.Errorf("%+v", a)
	}
	if _, body := h.call(t, "GET", "/api/backends/a", ""); field(t, body, "toolCount") != "3" || field(t, body, "enabledTools") != "2" {
		t.Errorf("%s", body)
	}
	if data, err := os.ReadFile(h.board); err != nil || !strings.Contains(string(data), `"put"`) {
		t.Errorf("saved is %s, %v", data, err)
	}
	want := func(body string, changed string) {
		t.Helper()
		h.want(t, "PATCH", "/api/tools", body, 200, `{"ok":true,"changed":`+changed+`,"savedIn":"`+h.board+`"}`)
	}
	want(`{"names":["a__put","a__get","a__get"],"enabled":false}`, "1")
	want(`{"names":["a__put","a__get"],"enabled":true}`, "2")
	want(`{"names":["a__put","a__get"],"enabled":true}`, "0")
	if a := h.tools(t); a.Exposed != 3 {
		t.Errorf("%+v", a)
	}
	h.want(t, "PATCH", "/api/tools/a__nothing", `{"enabled":false}`, 404, `{"error":"no tool is called \"a__nothing\"; GET /api/tools lists all"}`)
	h.want(t, "PATCH", "/api/tools", `{"names":["a__get","a__nothing"],"enabled":false}`, 404, `{"error":"no tool is called \"a__nothing\"; GET /api/tools lists all"}`)
	if a := h.tools(t); a.Exposed != 3 {
		t.Error("half of a batch was done")
	}
	h.want(t, "PATCH", "/api/tools/a__get", `{}`, 400, `{"error":"enabled is required: true or false"}`)
	h.want(t, "PATCH", "/api/tools", `{"enabled":true,"names":[]}`, 400, `{"error":"names is required: the tools' names, as GET /api/tools has them"}`)
	h.want(t, "PATCH", "/api/tools", `{"names":["a__get"]}`, 400, `{"error":"enabled is required: true or false"}`)
	h.want(t, "PATCH", "/api/tools/a__get", `{"enabled":"no"}`, 400, `{"error":"enabled must be true or false, not string"}`)
}

func TestLockedToolsHaveNoSwitch(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	h.gw.Put(discovery.SourceDocker, []discovery.Backend{{Name: "d", Source: discovery.SourceDocker, URL: m.url, Transport: discovery.TransportHTTP,
		Shape: discovery.Shape{Exclude: []string{"put"}}}})
	eventually(t, "connecting", func() bool { s, _ := h.gw.Backend("d"); return s.State == "ready" && len(h.gw.Tools()) == 2 })
	if a := h.tools(t); a.Total != 3 || a.Exposed != 2 || a.Tools[2].Locked != "the label mcp-gw.tools.exclude=put excludes it" || a.Tools[2].SavedIn != "" {
		t.Errorf("%+v", a)
	}
	for _, on := range []string{"true", "false"} {
		h.want(t, "PATCH", "/api/tools/d__put", `{"enabled":`+on+`}`, 409, `{"error":"the tool \"d__put\" has no switch: the label mcp-gw.tools.exclude=put excludes it"}`)
	}
}

// A registration's switch is its own; what a label wants is switched off beside it.
func TestBackendsAreSwitched(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	h.register(t, "a", m.url)
	h.gw.Put(discovery.SourceDocker, []discovery.Backend{{Name: "d", Source: discovery.SourceDocker, URL: m.url, Transport: discovery.TransportHTTP}})
	eventually(t, "connecting", func() bool { s, _ := h.gw.Backend("d"); return s.State == "ready" })
	for name, want := range map[string][2]string{"a": {h.file, "file"}, "d": {h.board, "dashboard"}} {
		for _, on := range []bool{false, false, true, true} {
			text := boolText(on)
			status, body := h.call(t, "PATCH", "/api/backends/"+name, `{"enabled":`+text+`}`)
			b := field(t, body, "backend")
			if status != 200 || field(t, b, "enabled") != text {
				t.Fatalf("%s %s: %d %s", name, text, status, body)
			}
			health, by := `"disabled"`, `"`+want[1]+`"`
			if on {
				health, by = `"healthy"`, ""
			}
			if field(t, b, "health") != health || field(t, b, "disabledBy") != by {
				t.Errorf("%s %s: %s", name, text, body)
			}
			if saved := field(t, body, "savedIn"); saved != `"`+want[0]+`"` && (!on || saved != `"`+h.board+`"`) {
				t.Errorf("%s %s is saved in %s", name, text, saved)
			}
			if a := h.tools(t); (a.Total == 6) != on {
				t.Errorf("%s %s: %d tools", name, text, a.Total)
			}
		}
		data, err := os.ReadFile(want[0])
		if err != nil || strings.Contains(string(data), "false") || strings.Contains(string(data), `"d"`) {
			t.Errorf("%s, %v", data, err)
		}
	}
	h.want(t, "PATCH", "/api/backends/x", `{"enabled":false}`, 404, `{"error":"no backend is called \"x\"; GET /api/backends lists all"}`)
	h.want(t, "PATCH", "/api/backends/a", `{}`, 400, `{"error":"enabled is required: true or false"}`)
}

// Who registers a backend wants it, whatever was done to one of its name before.
func TestARegistrationIsSwitchedOn(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	h.gw.Put(discovery.SourceDocker, []discovery.Backend{{Name: "d", Source: discovery.SourceDocker, URL: m.url, Transport: discovery.TransportHTTP}})
	eventually(t, "connecting", func() bool { s, _ := h.gw.Backend("d"); return s.State == "ready" })
	h.call(t, "PATCH", "/api/backends/d", `{"enabled":false}`)
	h.gw.Put(discovery.SourceDocker, nil)
	eventually(t, "its end", func() bool { _, there := h.gw.Backend("d"); return !there })
	status, body := h.call(t, "POST", "/api/backends", `{"name":"d","url":"`+m.url+`","transport":"http"}`)
	if b := field(t, body, "backend"); status != 200 || field(t, b, "enabled") != "true" || field(t, b, "status") != `"connected"` {
		t.Errorf("%d %s", status, body)
	}
}

func TestABrokenFileOfSwitchesIsAProblem(t *testing.T) {
	h := newRealHouse(t)
	if err := os.WriteFile(h.board, []byte(`{"disabledTools":5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the problem", func() bool {
		_, body := h.call(t, "GET", "/api/health", "")
		return strings.Contains(body, "switches.json cannot be used") && strings.Contains(body, "nothing is switched off, as before")
	})
}

func TestTheListCanDoWithoutTools(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "a", newMCPServer(t).url)
	_, all := h.call(t, "GET", "/api/backends", "")
	_, short := h.call(t, "GET", "/api/backends?tools=false", "")
	if !strings.Contains(all, `"name":"get"`) || strings.Contains(short, `"name":"get"`) || !strings.Contains(short, `"tools":[]`) || !strings.Contains(short, `"toolCount":3`) {
		t.Errorf("%s\n%s", all, short)
	}
}

func TestStatsSayWhenTheLastCallWas(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "a", newMCPServer(t).url)
	h.call(t, "POST", "/api/tools/a__get/call", `{}`)
	for _, tool := range h.tools(t).Tools {
		if (tool.Stats.LastAt != "") != (tool.Name == "a__get") {
			t.Errorf("%s: %+v", tool.Name, tool.Stats)
		}
	}
	if b, _ := h.gw.Backend("a"); b.Stats.LastAt == "" {
		t.Errorf("%+v", b.Stats)
	}
}
