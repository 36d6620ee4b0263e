package e2e

import (
	"strings"
	"testing"
)

// TestDifferencesAreSeen holds the comparison itself to its promise: it finds
// what a gateway may not change, and lets pass what is documented, and only
// where it is.
func TestDifferencesAreSeen(t *testing.T) {
	t.Parallel()
	raw, sdk := clientKind{name: "raw", raw: true}, clientKind{name: "sdk"}
	modern := func(k clientKind) clientKind { k.modern = true; return k }
	legacyServer := &diffServer{name: "s", transport: "http", mask: func(_ step, text []byte) []byte { return text }}
	modernServer := &diffServer{name: "s", transport: "http", modern: true, mask: legacyServer.mask}
	alone, shared := endpoint{where: "alone"}, endpoint{where: "shared", prefix: "b__", shared: true}

	answer := func(result string) outcome { return outcome{result: []byte(result), status: 200} }
	refusal := func(failure string) outcome { return outcome{failure: []byte(failure), status: 200} }
	asking := func(requests ...string) outcome {
		o := answer(`{}`)
		for _, request := range requests {
			o.asked = append(o.asked, []byte(request))
		}
		return o
	}
	reporting := func(reports ...string) outcome {
		o := outcome{status: 200}
		for _, report := range reports {
			o.reports = append(o.reports, []byte(report))
		}
		return o
	}
	for _, c := range []struct {
		what      string
		v         view
		method    string
		want, got outcome
		see       string // the beginning of the difference, "" for none
	}{
		{"the same bytes", view{alone, raw, legacyServer}, "tools/call", answer(`{"n":1.0}`), answer(`{"n":1.0}`), ""},
		{"a number spelled anew", view{alone, raw, legacyServer}, "tools/call", answer(`{"n":1.0}`), answer(`{"n":1}`), "result"},
		{"a rounded number for an SDK", view{alone, sdk, legacyServer}, "tools/call", answer(`{"n":9007199254740993}`), answer(`{"n":9007199254740992}`), "result"},
		{"another order for an SDK", view{alone, sdk, legacyServer}, "tools/call", answer(`{"a":1,"b":2}`), answer(`{"b":2,"a":1}`), ""},
		{"another order by hand", view{alone, raw, legacyServer}, "tools/call", answer(`{"a":1,"b":2}`), answer(`{"b":2,"a":1}`), "result"},
		{"a lost member", view{alone, sdk, legacyServer}, "tools/call", answer(`{"a":1,"_meta":{}}`), answer(`{"a":1}`), "result"},
		{"an error in place of a result", view{alone, raw, legacyServer}, "tools/call", answer(`{}`), refusal(`{"code":1,"message":""}`), "result"},
		{"another error code", view{alone, raw, legacyServer}, "tools/call", refusal(`{"code":4242}`), refusal(`{"code":-32603}`), "error"},
		{"not found, in one era", view{alone, raw, legacyServer}, "resources/read", refusal(`{"code":-32002}`), refusal(`{"code":-32602}`), "error"},
		{"not found, in two eras", view{alone, modern(raw), legacyServer}, "resources/read", refusal(`{"code":-32002}`), refusal(`{"code":-32602}`), ""},
		{"another HTTP status", view{alone, raw, legacyServer}, "tools/call", answer(`{}`), outcome{result: []byte(`{}`), status: 201}, "got HTTP"},

		{"what the 2026 era adds", view{alone, modern(raw), legacyServer}, "tools/call", answer(`{"a":1}`), answer(`{"a":1,"resultType":"complete"}`), ""},
		{"nothing added for it", view{alone, modern(raw), legacyServer}, "tools/call", answer(`{"a":1}`), answer(`{"a":1}`), "got resultType"},
		{"no ttlMs and cacheScope", view{alone, modern(raw), legacyServer}, "resources/read", answer(`{}`), answer(`{"resultType":"complete"}`), "got cacheScope"},
		{"a ttlMs below 0", view{alone, modern(raw), legacyServer}, "resources/read", answer(`{}`), answer(`{"resultType":"complete","cacheScope":"public","ttlMs":-1}`), "got ttlMs"},
		{"ttlMs where none belongs", view{alone, modern(raw), legacyServer}, "tools/call", answer(`{}`), answer(`{"resultType":"complete","ttlMs":0}`), "result"},
		{"added for a legacy client", view{alone, raw, legacyServer}, "tools/call", answer(`{}`), answer(`{"resultType":"complete"}`), "result"},
		{"a modern server's own for a legacy client", view{alone, raw, modernServer}, "tools/call",
			answer(`{"a":1,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{}}}`), answer(`{"a":1}`), ""},
		{"other _meta lost for a legacy client", view{alone, raw, modernServer}, "tools/call",
			answer(`{"_meta":{"io.modelcontextprotocol/serverInfo":{},"x":1}}`), answer(`{}`), "result"},
		{"execution, in two eras", view{alone, modern(raw), legacyServer}, "tools/list",
			answer(`{"tools":[{"name":"t","execution":{}}]}`), answer(`{"tools":[{"name":"t"}],"resultType":"complete","ttlMs":0,"cacheScope":"private"}`), ""},
		{"execution, in one era", view{alone, raw, legacyServer}, "tools/list", answer(`{"tools":[{"name":"t","execution":{}}]}`), answer(`{"tools":[{"name":"t"}]}`), "list"},

		{"other _meta of a list", view{alone, raw, legacyServer}, "tools/list", answer(`{"tools":[],"_meta":{"x":1.0}}`), answer(`{"tools":[],"_meta":{}}`), "result"},
		{"another order beside a list", view{alone, raw, legacyServer}, "tools/list", answer(`{"_meta":{"x":1.0},"tools":[]}`), answer(`{"tools":[],"_meta":{"x":1.0}}`), ""},
		{"another URL elicitation's id, in two eras", view{alone, raw, modernServer}, "tools/call",
			asking(`{"method":"e","params":{"mode":"url"}}`), asking(`{"method":"e","params":{"mode":"url","elicitationId":"x"}}`), ""},
		{"no id for a legacy client", view{alone, raw, modernServer}, "tools/call",
			asking(`{"method":"e","params":{"mode":"url"}}`), asking(`{"method":"e","params":{"mode":"url"}}`), "got no elicitationId"},

		{"names beside those of others", view{shared, raw, legacyServer}, "tools/list",
			answer(`{"tools":[{"name":"t","x":1.0}]}`), answer(`{"tools":[{"name":"a__t"},{"name":"b__t","x":1.0}]}`), ""},
		{"a prefix at an endpoint without", view{alone, raw, legacyServer}, "tools/list", answer(`{"tools":[{"name":"t"}]}`), answer(`{"tools":[{"name":"b__t"}]}`), "list"},
		{"a tool that is missing", view{shared, raw, legacyServer}, "tools/list", answer(`{"tools":[{"name":"t"},{"name":"u"}]}`), answer(`{"tools":[{"name":"b__t"}]}`), "list"},
		{"a tool too many", view{shared, raw, legacyServer}, "tools/list", answer(`{"tools":[]}`), answer(`{"tools":[{"name":"b__t"}]}`), "list"},
		{"another URI", view{shared, raw, legacyServer}, "resources/list", answer(`{"resources":[{"uri":"a:b"}]}`), answer(`{"resources":[{"uri":"x+a:b"}]}`), "list"},

		{"the same requests in another order", view{alone, raw, legacyServer}, "tools/call", asking(`{"method":"a"}`, `{"method":"b"}`), asking(`{"method":"b"}`, `{"method":"a"}`), ""},
		{"a request that never came", view{alone, sdk, legacyServer}, "tools/call", asking(`{"method":"a"}`, `{"method":"b"}`), asking(`{"method":"b"}`), "requests of the server"},
		{"other params of a request", view{alone, raw, legacyServer}, "tools/call", asking(`{"method":"a","params":{"n":1.0}}`), asking(`{"method":"a","params":{"n":1}}`), "requests of the server"},
		{"log messages in another order", view{alone, raw, legacyServer}, "tools/call",
			outcome{status: 200, logs: [][]byte{[]byte("1"), []byte("2")}}, outcome{status: 200, logs: [][]byte{[]byte("2"), []byte("1")}}, "log messages"},
		{"a lost report by hand", view{alone, raw, legacyServer}, "tools/call", reporting(`{"progress":1}`), reporting(), "progress"},
		{"another report for an SDK", view{alone, sdk, legacyServer}, "tools/call", reporting(`{"progress":1,"total":2}`), reporting(`{"progress":1,"total":3}`), "progress"},
		{"reports in another order for an SDK", view{alone, sdk, legacyServer}, "tools/call",
			reporting(`{"progress":1}`, `{"progress":2}`), reporting(`{"progress":2}`, `{"progress":1}`), "progress"},
		{"a report that an SDK dropped", view{alone, sdk, legacyServer}, "tools/call", reporting(`{"progress":1}`, `{"progress":2}`), reporting(`{"progress":2}`), ""},
	} {
		found := c.v.differences(step{method: c.method}, c.want, c.got)
		if c.see == "" && len(found) > 0 || c.see != "" && (len(found) == 0 || !strings.HasPrefix(found[0], c.see)) {
			t.Errorf("%s: got %q, want %q", c.what, found, c.see)
		}
	}
}
