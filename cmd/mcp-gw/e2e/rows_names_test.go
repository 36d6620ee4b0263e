package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var rowsNames = []string{"a.b", "a_b", "a-b", "a b", "工具", "UPPER", strings.Repeat("long", 30), strings.Repeat("long", 30) + "2"}

// own is a member of _meta that says what a tool is called by its backend.
const own = "e2e/own"

func ownTool(name string) string {
	text, _ := json.Marshal(name)
	return `{"_meta":{"` + own + `":` + string(text) + `},"inputSchema":{"type":"object"},"name":` + string(text) + `}`
}

func prepareToolNames(s *rowsStub) {
	for _, name := range rowsNames {
		s.lists("tools/list", ownTool(name))
		s.on("tools/call "+name, answers(`"result":{"content":[],"called":`+strconv.Quote(name)+`}`))
	}
}

// header writes a name as the modern era wants it in a header.
func header(name string) string {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(name)) + "?="
		}
	}
	return name
}

// Where prefixes are, names are such that every client takes them, each for one tool,
// and they stay the same; where none are, names are the backend's.
func runToolNames(t *testing.T, st *stage) {
	accepted := regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)
	st.everyWay(t, func(t *testing.T, w *way) {
		exposed := map[string]string{} // by the backend's own name
		for name, tool := range w.list(t, "tools/list") {
			is := str(tool, "_meta", own)
			if is == "" || !w.plain && !strings.HasPrefix(name, w.s.name+"__") {
				continue
			}
			if exposed[is] != "" {
				t.Errorf("%q is listed as %q and as %q", is, exposed[is], name)
			}
			exposed[is] = name
			sameBytes(t, "tool "+name, tool, replace([]byte(ownTool(is)), "name", strconv.Quote(name)))
		}
		for _, is := range rowsNames {
			name := exposed[is]
			if name == "" {
				t.Errorf("%q is not listed", is)
				continue
			}
			if w.plain && name != is || !w.plain && !accepted.MatchString(name) {
				t.Errorf("%q is listed as %q", is, name)
			}
			if safe := w.s.name + "__" + is; !w.plain && accepted.MatchString(safe) && name != safe {
				t.Errorf("%q is listed as %q, want %q", is, name, safe)
			}
			a := callTool(name, `{}`)
			a.name = header(name)
			if got := str(w.c.must(t, a).result(), "called"); got != is {
				t.Errorf("%q called %q, want %q", name, got, is)
			}
		}
	})
}

// A tool whose name looks like another backend's tool.
func prepareUnderscores(s *rowsStub) {
	for _, name := range []string{"x__y", "__x", "y__", "__", "legacy__twin", "modern__twin", "twin"} {
		s.tool(name, answers(`"result":{"content":[],"called":"`+s.name+"/"+name+`"}`))
	}
}

func runUnderscores(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for _, name := range []string{"x__y", "__x", "y__", "__", "legacy__twin", "modern__twin", "twin"} {
			if got, want := str(w.c.must(t, w.call(name, `{}`)).result(), "called"), w.s.name+"/"+name; got != want {
				t.Errorf("%s called %q, want %q", w.called(name), got, want)
			}
		}
	})
	// With two underscores in a backend's name there would be two ways to read one.
	status, _, body := st.g.api(t, http.MethodPost, "/api/backends", `{"name":"legacy__x","url":"`+st.stubs[0].url+`","transport":"http"}`)
	if status != http.StatusBadRequest || !strings.Contains(string(body), "__") {
		t.Errorf("a backend called legacy__x: got HTTP %d %s, want a refusal that says why", status, body)
	}
}

const rowsDisplay = `{"title":"Find <b>\u00e9</b>","name":"display","description":"","annotations":{"title":"T","readOnlyHint":true,"destructiveHint":null,"idempotentHint":false,"openWorldHint":true},` +
	`"icons":[{"src":"https://example.com/i.png?a=1&b=2","mimeType":"image/png","sizes":["48x48"],"theme":"light","x":1.0},{"src":"data:image/svg+xml;base64,PHN2Zy8+"}],"inputSchema":{"type":"object"},"execution":{"taskSupport":"forbidden"}}`

func prepareDisplay(s *rowsStub) {
	s.lists("tools/list", rowsDisplay)
	s.on("tools/call display", answers(`"result":{"content":[]}`))
}

// What people see of a tool is the backend's: nothing is put in front of its title or
// description. Tools have no execution in the modern era.
func runDisplay(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "tools/list", "name", w.called("display"), rowsDisplay)
	})
}

const (
	rowsPrompt       = `{"title":"P \u2028","name":"prompt","description":"","arguments":[{"name":"a","title":"A","description":"<&>","required":true,"x":1.0},{"name":"b"}],"icons":[{"src":"data:,"}],"x-more":1.0,"_meta":{"n":1.0}}`
	rowsPromptAnswer = `"result":{"messages":[{"role":"user","content":{"type":"text","text":"\u2028"}},{"role":"assistant","content":{"type":"image","data":"AA==","mimeType":"image/png"}},` +
		`{"role":"user","content":{"type":"resource","resource":{"uri":"prompt://inside","text":"x","_meta":{"n":1.0}}},"x-more":[]}],"description":"","_meta":{"n":9007199254740993}}`
)

func preparePrompts(s *rowsStub) {
	s.lists("prompts/list", rowsPrompt)
	s.on("prompts/get prompt", answers(rowsPromptAnswer))
	s.lists("prompts/list", `{"name":"tool_too"}`)
	s.on("prompts/get tool_too", answers(`"result":{"messages":[],"is":"a prompt"}`))
	s.tool("tool_too", answers(`"result":{"content":[],"is":"a tool"}`))
}

func runPrompts(t *testing.T, st *stage) {
	prompt := func(name, arguments string) ask {
		return ask{method: "prompts/get", name: name, params: `"arguments":` + arguments + `,"name":` + strconv.Quote(name)}
	}
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "prompts/list", "name", w.called("prompt"), rowsPrompt)
		const arguments = `{"b":"","a":"12345678901234567890 \u2028\/é <&>","x":"1.0"}`
		w.check(t, prompt(w.called("prompt"), arguments), rowsPromptAnswer)
		seen := w.s.last(t, "prompts/get", "prompt")
		sameBytes(t, "arguments at the backend", get(seen, "params", "arguments"), []byte(arguments))
		// A tool and a prompt of one name are two things.
		w.check(t, prompt(w.called("tool_too"), `{}`), `"result":{"messages":[],"is":"a prompt"}`)
		w.check(t, w.call("tool_too", `{}`), `"result":{"content":[],"is":"a tool"}`)
		if w.plain {
			return
		}
		got := w.c.tryCall(t, prompt(w.called("nothing"), `{}`))
		if string(get(got.final, "error", "code")) != "-32602" || !strings.Contains(str(got.final, "error", "message"), w.called("nothing")) {
			t.Errorf("an unknown prompt: got %v, want -32602 and its name", got)
		}
	})
}

// As many values as one answer may have.
func rowsValues() string {
	var values []string
	for i := range 100 {
		values = append(values, fmt.Sprintf(`"v\u00e9%d <&>"`, i))
	}
	return `"result":{"completion":{"values":[` + strings.Join(values, ",") + `],"total":9007199254740993,"hasMore":true,"x":1.0},"_meta":{"n":1.0}}`
}

func prepareCompletion(s *rowsStub) {
	s.lists("prompts/list", `{"name":"complete","arguments":[{"name":"a"}]}`)
	s.lists("resources/templates/list", `{"uriTemplate":"complete-`+s.name+`://{a}","name":"c"}`)
	s.on("completion/complete", answers(rowsValues()))
}

func runCompletion(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		template := "complete-" + w.s.name + "://{a}"
		for _, ref := range []struct{ sent, seen, named string }{
			{`{"type":"ref/prompt","name":"` + w.called("complete") + `","title":"\u2028"}`, `{"type":"ref/prompt","name":"complete","title":"\u2028"}`, "complete"},
			{`{"uri":"` + template + `","type":"ref/resource"}`, `{"uri":"` + template + `","type":"ref/resource"}`, template},
		} {
			const argument, context = `{"value":"\u00e9 <&>","name":"a"}`, `{"arguments":{"b":"1.0","a":"\/"},"x":1.0}`
			w.check(t, ask{method: "completion/complete", params: `"ref":` + ref.sent + `,"argument":` + argument + `,"context":` + context}, rowsValues())
			seen := get(w.s.last(t, "completion/complete", ref.named), "params")
			sameBytes(t, "ref at the backend", get(seen, "ref"), []byte(ref.seen))
			sameBytes(t, "argument at the backend", get(seen, "argument"), []byte(argument))
			sameBytes(t, "context at the backend", get(seen, "context"), []byte(context))
		}
	})
}
