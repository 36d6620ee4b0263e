package wire

import (
	"errors"
	"testing"
)

func TestSplice(t *testing.T) {
	src := []byte(`{"a":1,"b":2}`)
	a, b := Find(src, "a"), Find(src, "b")
	at := Span{1, 1}
	tests := []struct {
		name  string
		edits []Edit
		want  string
	}{
		{"none", nil, `{"a":1,"b":2}`},
		{"in order", []Edit{{a, []byte("10")}, {b, []byte("20")}}, `{"a":10,"b":20}`},
		{"in another order", []Edit{{b, []byte("20")}, {at, []byte(`"z":0,`)}, {a, []byte("10")}}, `{"z":0,"a":10,"b":20}`},
		{"two at one place keep theirs", []Edit{{b, []byte("3")}, {at, []byte(`"x":0,`)}, {at, []byte(`"y":0,`)}}, `{"x":0,"y":0,"a":1,"b":3}`},
		{"insertion before replacement", []Edit{{a, []byte("7")}, {Span{a.Start, a.Start}, []byte("4")}}, `{"a":47,"b":2}`},
		{"deletion", []Edit{{Span{1, 7}, nil}}, `{"b":2}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Splice([]byte(">"), src, tt.edits...)); got != ">"+tt.want {
				t.Errorf("got %s, want >%s", got, tt.want)
			}
		})
	}
}

func TestInsert(t *testing.T) {
	for in, want := range map[string]string{
		`{"o":{}}`:        `{"o":{"m":1}}`,
		`{"o":{ }}`:       `{"o":{"m":1 }}`,
		`{"o":{"a":[1]}}`: `{"o":{"m":1,"a":[1]}}`,
		`{"o":null}`:      `{"o":{"m":1}}`,
		`{"o":["x"]}`:     `{"o":{"m":1}}`,
		`{"o":"x"}`:       `{"o":{"m":1}}`,
	} {
		member := []byte(`"m":1`)
		if got := string(Splice(nil, []byte(in), Insert([]byte(in), Find([]byte(in), "o"), member))); got != want {
			t.Errorf("Insert into %s: got %s, want %s", in, got, want)
		}
		if string(member) != `"m":1` {
			t.Errorf("Insert changed its argument to %s", member)
		}
	}
}

func TestWithout(t *testing.T) {
	const p = "io.modelcontextprotocol/"
	for in, want := range map[string]string{
		`{}`:                     `{}`,
		`{"a":1, "b":{"x":"}"}}`: `{"a":1,"b":{"x":"}"}}`,
		`{"` + p + `logLevel":"x","a":1,"` + p + `related-task":{}}`: `{"a":1,"` + p + `related-task":{}}`,
		`{"\u0069o.modelcontextprotocol/clientInfo":1,"\u0061":2}`:   `{"\u0061":2}`,
		`null`:          `null`,
		`[1]`:           `[1]`,
		`{"a":1,"b"`:    `{"a":1,"b"`,
		`{"a":1} extra`: `{"a":1}`,
	} {
		if got := string(WithoutHop([]byte(in))); got != want {
			t.Errorf("WithoutHop(%s) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`{"a":1 ,"x":{"y":2}, "b":3}`: `{"a":1,"b":3}`,
		`{"x":1,"a":2,"x":3}`:         `{"a":2}`,
		`{"x":1}`:                     `{}`,
		`{ "a":1 }`:                   `{ "a":1 }`,
		`7`:                           `7`,
	} {
		if got := string(WithoutMember([]byte(in), "x")); got != want {
			t.Errorf("WithoutMember(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestUnquote(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
		{`"a"`, "a", true},
		{`""`, "", true},
		{`"a\u0062\n\"\ud83d\ude00"`, "ab\n\"😀", true},
		{"\"\xff\"", "\ufffd", true},
		{`"a`, "", false},
		{`"`, "", false},
		{``, "", false},
		{`1`, "", false},
		{`"a"b"`, "", false},
		{`"a\"`, "", false},
		{"\"a\nb\"", "", false},
		{`"\x"`, "", false},
	}
	for _, tt := range tests {
		if got, ok := Unquote([]byte(tt.in)); got != tt.want || ok != tt.ok {
			t.Errorf("Unquote(%s) = %q, %t, want %q, %t", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestElements(t *testing.T) {
	var got []string
	collect := func(v []byte) error { got = append(got, string(v)); return nil }
	if err := Elements([]byte(` [ 1 , {"a":[2]} ,"]", [] ]`), collect); err != nil {
		t.Fatal(err)
	}
	want := []string{"1", `{"a":[2]}`, `"]"`, "[]"}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	got = nil
	if err := Elements([]byte(`[]`), collect); err != nil || got != nil {
		t.Errorf("empty array: %v, %q", err, got)
	}
	for _, in := range []string{"", "{}", "[1", "[1,]", "[,]", "[1 2]", "[1}"} {
		if err := Elements([]byte(in), collect); !errors.Is(err, ErrSyntax) {
			t.Errorf("Elements(%s) = %v, want a syntax error", in, err)
		}
	}
	stop := errors.New("enough")
	if err := Elements([]byte(`[1,2]`), func([]byte) error { return stop }); err != stop {
		t.Errorf("got %v, want the callback's error", err)
	}
}

func TestFind(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":{"a":0},"a":1,"a":2}`: "1",
		` {"\u0061" : "x" }`:        `"x"`,
		`{"A":1}`:                   "",
		`{"a":`:                     "",
		`["a"]`:                     "",
		``:                          "",
		`{"a":null,`:                "null",
	} {
		if got := string(Member([]byte(in), "a")); got != want {
			t.Errorf("Member(%s) = %q, want %q", in, got, want)
		}
	}
}
