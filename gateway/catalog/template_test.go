package catalog

import (
	"regexp"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	tests := []struct {
		template string
		is, not  []string
	}{
		{"note://{id}", []string{"note://1", "note://a%2Fb", "note://{id}"}, []string{"note://", "note:/1", "note://a/b", "xnote://1"}},
		{"note://{id}/", []string{"note://1/"}, []string{"note://1", "note:///", "note://a/b/"}},
		{"db://{table}/rows/{id}", []string{"db://t/rows/1"}, []string{"db://t/rows/", "db://t/rows/1/2", "db:///rows/1"}},
		{"file://{+path}", []string{"file:///a/b", "file://x"}, []string{"file://"}},
		{"file:///{path*}", []string{"file:///a/b"}, []string{"file:///"}},
		{"a:{x}-{y}.z", []string{"a:1-2.z", "a:---.z", "a:-----.z", "a:1.z-2.z"}, []string{"a:-2.z", "a:1-2.y", "a:1-.z"}},
		{"a:{x}{y}", []string{"a:12", "a:123"}, []string{"a:1", "a:1/"}},
		{"a:b{#frag}", []string{"a:b", "a:b#", "a:b#x/y"}, []string{"a:bx"}},
		{"a:b{?q,r}", []string{"a:b", "a:b?q=1&r=http://x/"}, []string{"a:b&q=1", "a:bq"}},
		{"a:b?f=1{&q}", []string{"a:b?f=1", "a:b?f=1&q=2"}, []string{"a:b?f=2"}},
		{"a:{id}{?q}", []string{"a:1", "a:1?q=a/b"}, []string{"a:", "a:1/2"}},
		{"a:x{.ext}", []string{"a:x", "a:x.json"}, []string{"a:xjson", "a:x.a/b"}},
		{"a:x{/one}", []string{"a:x", "a:x/1"}, []string{"a:x/1/2", "a:x1"}},
		{"a:x{/one,two}", []string{"a:x/1/2"}, []string{"a:x1"}},
		{"a:x{;p}", []string{"a:x", "a:x;p=1"}, []string{"a:x;p=/"}},
		{"{+uri}", []string{"http://x/y"}, []string{""}},
		{"{scheme}://x", []string{"a://x"}, []string{"://x", "a/b://x"}},
	}
	for _, tt := range tests {
		c, ok := compile("b", tt.template)
		if !ok {
			t.Errorf("%s does not compile", tt.template)
			continue
		}
		for _, uri := range tt.is {
			if !c.match(uri) {
				t.Errorf("%s does not match %s", tt.template, uri)
			}
		}
		for _, uri := range tt.not {
			if c.match(uri) {
				t.Errorf("%s matches %s", tt.template, uri)
			}
		}
	}
}

// What is no template that can be matched stands for its own text alone.
func TestTemplateLiteral(t *testing.T) {
	for _, text := range []string{
		"", "note://1", "a:{", "a:}", "a:{}", "a:{x", "a:x}", "a:{{x}}", "a:{x}}", "a:{+}", "a:{=x}", "a:{!x}", "a:{x y}",
		"a:" + strings.Repeat("x", maxTemplate) + "{x}",
		"a:" + strings.Repeat("{x}", maxExpressions+1),
	} {
		if _, ok := compile("b", text); ok {
			t.Errorf("%.40q compiles", text)
		}
	}
	if _, ok := compile("b", "a:"+strings.Repeat("{x}", maxExpressions)); !ok {
		t.Error("a template within the bounds does not compile")
	}
	c, _ := compile("b", "a:{+x}")
	if long := strings.Repeat("x", maxMatched-2); !c.match("a:"+long) || c.match("a:x"+long) {
		t.Error("the bound of what is matched is another")
	}
}

// pattern answers the regular expression that a template stands for: slower, and
// nothing to build of foreign text, but another way to say the same.
func pattern(text string) string {
	expr := regexp.MustCompile(`\{([^{}]*)\}`)
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	at := 0
	for _, m := range expr.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(regexp.QuoteMeta(text[at:m[0]]))
		at = m[1]
		body := text[m[2]:m[3]]
		class := `[^/]`
		if strings.HasSuffix(body, "*") || strings.ContainsAny(body[:1], "+#?&") || body[0] == '/' && strings.Contains(body, ",") {
			class = `.`
		}
		switch body[0] {
		case '#', '.', '/', ';', '?', '&':
			b.WriteString(`(?:` + regexp.QuoteMeta(body[:1]) + class + `*)?`)
		default:
			b.WriteString(class + `+`)
		}
	}
	return b.String() + regexp.QuoteMeta(text[at:]) + `\z`
}

// FuzzTemplate holds the matcher against regular expressions.
func FuzzTemplate(f *testing.F) {
	f.Add("note://{id}", "note://1")
	f.Add("a:{x}-{y}.z{/p,q}{?r}{&s}{#t}", "a:1-2.z/3/4?r=1&s=2#t")
	f.Add("{+a}{b}/{c*}{.d}{;e}", "x/y/z.d;e")
	f.Add("a:{x}{+y}{z}aa{x}a", "a:aaaaaaaaaaaa/aaaaaaaaa")
	f.Add("é{x}é", "ééé")
	f.Add("{/a}{/b}{/c}", "/1/2//")
	f.Fuzz(func(t *testing.T, text, uri string) {
		c, ok := compile("b", text)
		if !ok || len(text) > 200 || len(uri) > 1000 {
			return
		}
		if !ascii(text) || !ascii(uri) {
			return // a dot stands for a character there, for a byte here
		}
		want := regexp.MustCompile(pattern(text)).MatchString(uri)
		if got := c.match(uri); got != want {
			t.Fatalf("%q matches %q: got %t, want %t by %s", text, uri, got, want, pattern(text))
		}
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
