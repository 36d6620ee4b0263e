package bridge

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// shared is how the URIs of backend "b" are written when backend "a" has the same.
func shared() *catalog.Rewriter {
	items := func(more ...string) (items [catalog.Kinds][]catalog.Item) {
		for _, uri := range append(more, "file:///x", "ui://app/i") {
			items[catalog.Resources] = append(items[catalog.Resources], catalog.Item{Name: uri, Raw: []byte(`{"uri":"` + uri + `","name":"n"}`)})
		}
		items[catalog.Templates] = []catalog.Item{{Name: "note://{id}", Raw: []byte(`{"uriTemplate":"note://{id}","name":"n"}`)}}
		return items
	}
	return catalog.Build([]catalog.Source{{Backend: "a", Items: items()}, {Backend: "b", Items: items("file:///own")}}, catalog.Options{}).Rewrites("b")
}

// exposing is a route whose URIs are changed.
func exposing(f target) *Route {
	r := route("tool", journal.New(journal.Options{}), f)
	r.URIs = shared()
	return r
}

// Every place of a result where a URI of the backend's may stand, and nothing else.
func TestURIsInResults(t *testing.T) {
	const x, note, app = "mcp-gw+b+file:///x", "mcp-gw+b+note://7", "ui://b/app/i"
	for name, test := range map[string]struct{ result, want string }{
		"contents":             {`{"contents":[{"uri":"file:///x","text":"file:///x"},{"blob":"","uri":"note://7"}]}`, `{"contents":[{"uri":"` + x + `","text":"file:///x"},{"blob":"","uri":"` + note + `"}]}`},
		"resource_link":        {`{"content":[{"type":"text","text":"t"},{"type":"resource_link","uri":"file:///x","name":"n","size":1e400}]}`, `{"content":[{"type":"text","text":"t"},{"type":"resource_link","uri":"` + x + `","name":"n","size":1e400}]}`},
		"embedded":             {`{"content":[{"type":"resource","resource":{"uri":"ui://app/i","text":""}}]}`, `{"content":[{"type":"resource","resource":{"uri":"` + app + `","text":""}}]}`},
		"prompt, one block":    {`{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"file:///x"}}}]}`, `{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"` + x + `"}}}]}`},
		"prompt, many blocks":  {`{"messages":[{"content":[{"type":"resource_link","uri":"file:///x"},{"type":"resource","resource":{"uri":"note://7"}}]},7]}`, `{"messages":[{"content":[{"type":"resource_link","uri":"` + x + `"},{"type":"resource","resource":{"uri":"` + note + `"}}]},7]}`},
		"escaped":              {`{"contents":[{"uri":"file:\/\/\/\u0078"}]}`, `{"contents":[{"uri":"` + x + `"}]}`},
		"not shared":           {`{"contents":[{"uri":"file:///own"},{"uri":"file:///other"}]}`, `{"contents":[{"uri":"file:///own"},{"uri":"file:///other"}]}`},
		"elsewhere":            {`{"uri":"file:///x","structuredContent":{"uri":"file:///x","content":[{"uri":"file:///x"}]},"_meta":{"uri":"file:///x"}}`, `{"uri":"file:///x","structuredContent":{"uri":"file:///x","content":[{"uri":"file:///x"}]},"_meta":{"uri":"file:///x"}}`},
		"deeper":               {`{"content":[[{"uri":"file:///x"}],{"resource":{"resource":{"uri":"file:///x"}}}]}`, `{"content":[[{"uri":"file:///x"}],{"resource":{"resource":{"uri":"file:///x"}}}]}`},
		"of other kinds":       {`{"contents":{"uri":"file:///x"},"content":"file:///x","messages":[{"content":"file:///x"},null]}`, `{"contents":{"uri":"file:///x"},"content":"file:///x","messages":[{"content":"file:///x"},null]}`},
		"no string":            {`{"contents":[{"uri":7},{"uri":null},{}]}`, `{"contents":[{"uri":7},{"uri":null},{}]}`},
		"spaces, and twice it": {`{ "contents" : [ { "uri" : "file:///x" } , { "uri" : "file:///x" } ] }`, `{ "contents" : [ { "uri" : "` + x + `" } , { "uri" : "` + x + `" } ] }`},
		"result no object":     {`[{"uri":"file:///x"}]`, `[{"uri":"file:///x"}]`},
	} {
		for _, from := range []upstream.Peer{legacyPeer, modernPeer} {
			got := new(ledger)
			Carry(context.Background(), exposing(func(x upstream.Exchange) error {
				x.Encode(nil, 100, from)
				return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":`+test.result+`}`), from)
			}), Client{}, scan(t, request("1", "")), got)
			if want := `{"jsonrpc":"2.0","id":1,"result":` + test.want + `}`; got.reply(t) != want {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got.reply(t), want)
			}
		}
	}
	// Together with all else that is changed.
	r := exposing(func(x upstream.Exchange) error {
		x.Encode(nil, 100, legacyPeer)
		return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":{"contents":[{"uri":"file:///x"}],"_meta":{`+related+`"k"}}}}`), legacyPeer)
	})
	r.Tasks = "b."
	got := new(ledger)
	Carry(context.Background(), r, Client{Modern: true}, scan(t, strings.Replace(request("1", ""), "tools/call", "resources/read", 1)), got)
	if want := `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[{"uri":"` + x + `"}],"_meta":{` + related + `"b.k"}}}}`; got.reply(t) != want {
		t.Errorf("got  %s\nwant %s", got.reply(t), want)
	}
}

func TestExposeURI(t *testing.T) {
	for text, want := range map[string]string{
		`{"uri":"file:///x","title":1e400}`: `{"uri":"mcp-gw+b+file:///x","title":1e400}`, `{"uri":"file:///own"}`: `{"uri":"file:///own"}`, `{"uri":7}`: `{"uri":7}`, `{}`: `{}`,
	} {
		m := scan(t, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":`+text+`}`)
		if got := string(wire.Splice(nil, m.Raw, ExposeURI(shared(), m)...)); !strings.HasSuffix(got, `"params":`+want+`}`) {
			t.Errorf("%s became %s", text, got)
		}
		if edits := ExposeURI(nil, m); len(edits) > 0 {
			t.Errorf("without a rewriter: %v", edits)
		}
	}
}

// A read goes to the backend under its own URI, in the body and the header.
func TestURIsOfRequests(t *testing.T) {
	for _, uri := range []string{"file:///x", `a:"b" \ é`, "note://{id}"} {
		for place, member := range map[Place]string{AtURI: `"uri":"exposed"`, AtRefURI: `"ref":{"type":"ref/resource","uri":"exposed"}`, AtRefName: `"ref":{"name":"exposed","type":"ref/prompt"}`} {
			var sent string
			r := (&Route{Backend: "b", Name: uri, Place: place, Meter: journal.New(journal.Options{}).Meter("b", "x"),
				Target: target(func(x upstream.Exchange) error { sent = string(x.Encode(nil, 100, legacyPeer)); return nil })}).Prepare(nil)
			text := `{"jsonrpc":"2.0","id":1,"method":"m","params":{"argument":{"name":"exposed","uri":"exposed"},` + member + `,"context":{"arguments":{"name":"exposed"}}}}`
			Carry(context.Background(), r, Client{}, scan(t, text), new(ledger))
			quoted, _ := json.Marshal(uri)
			want := strings.NewReplacer(`"id":1`, `"id":100`, `},`+member, `},`+strings.Replace(member, `"exposed"`, string(quoted), 1)).Replace(text)
			if sent != want {
				t.Errorf("sent %s\nwant %s", sent, want)
			}
			h := header(t, r, Client{Modern: true, Header: map[string][]string{}}, text, modernPeer)
			if _, there := h["Mcp-Name"]; there != (place == AtURI) {
				t.Errorf("place %d: header %v", place, h)
			}
		}
	}
}

// Whatever a result looks like, it stays JSON, and only URIs change.
func FuzzExposeURIs(f *testing.F) {
	for _, seed := range []string{`{"contents":[{"uri":"file:///x"}]}`, `{"content":[{"resource":{"uri":"ui://app/i"}},{"uri":"note://1"}]}`, `{"messages":[{"content":{"uri":"file:///x","resource":{"uri":"note://2"}}},{"content":[{"uri":"note://3"}]}]}`,
		`{"content":[{"uri":"file:///x","uri":"note://1"}],"content":[]}`, `{"contents":[{"uri":"note://\ud800"}]}`, `[]`, `{"messages":[[],{"content":[[]]}]}`, `{"contents":[{"uri":"note://\"\\"}]}`} {
		f.Add(seed)
	}
	to := shared()
	f.Fuzz(func(t *testing.T, result string) {
		text := `{"jsonrpc":"2.0","id":1,"result":` + result + `}`
		var m wire.Message
		if !json.Valid([]byte(result)) || m.Scan([]byte(text)) != nil {
			return
		}
		c := &call{route: &Route{URIs: to}}
		out := wire.Splice(nil, m.Raw, c.exposeURIs(&m)...)
		if !json.Valid(out) {
			t.Fatalf("%s became %s", text, out)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(out, &after) != nil {
			return // numbers that Go cannot hold
		}
		if !onlyURIs(before, after, to) {
			t.Fatalf("%s became %s", text, out)
		}
	})
}

// onlyURIs reports whether two values differ in nothing but exposed members uri.
func onlyURIs(a, b any, to *catalog.Rewriter) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for k, v := range a {
			if text, isText := v.(string); isText && k == "uri" {
				if exposed, changed := to.Expose(text); changed && other[k] == exposed {
					continue
				}
			}
			if !onlyURIs(v, other[k], to) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !onlyURIs(a[i], other[i], to) {
				return false
			}
		}
		return true
	}
	return a == b
}
