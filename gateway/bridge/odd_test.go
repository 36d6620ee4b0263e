package bridge

import (
	"context"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

// Requests of methods that the gateway does not know have every form, and reach the
// backend as it wants them.
func TestEncodeWithoutPlace(t *testing.T) {
	for _, test := range []struct {
		client Client
		params string
		to     upstream.Peer
		want   string
	}{
		{Client{}, ``, legacyPeer, ``},
		{Client{}, `,"params":null`, legacyPeer, `,"params":null`},
		{Client{}, `,"params":{"_meta":null}`, legacyPeer, `,"params":{"_meta":null}`},
		{Client{}, `,"params":[1,2]`, legacyPeer, `,"params":[1,2]`},
		{Client{}, ``, modernPeer, `,"params":{"_meta":{` + version + `,"io.modelcontextprotocol/clientInfo":{"name":"unknown","version":"0"},` + caps + `}}`},
		{Client{}, `,"params":{}`, modernPeer, `,"params":{"_meta":{` + version + `,"io.modelcontextprotocol/clientInfo":{"name":"unknown","version":"0"},` + caps + `}}`},
		{Client{}, `,"params":null`, modernPeer, `,"params":{"_meta":{` + version + `,"io.modelcontextprotocol/clientInfo":{"name":"unknown","version":"0"},` + caps + `}}`},
		{Client{}, `,"params":{"_meta":7,"x":1e400}`, modernPeer, `,"params":{"_meta":{` + version + `,"io.modelcontextprotocol/clientInfo":{"name":"unknown","version":"0"},` + caps + `},"x":1e400}`},
		{Client{Modern: true}, `,"params":{"twice":1,"twice":2,"_meta":{` + envelope + `,"a":1,"a":2}}`, legacyPeer, `,"params":{"twice":1,"twice":2,"_meta":{"a":1,"a":2}}`},
		{Client{Modern: true}, `,"params":{"name":"n","uri":"u","taskId":"b.t","_meta":{` + envelope + `}}`, modernPeer, `,"params":{"name":"n","uri":"u","taskId":"b.t","_meta":{` + envelope + `}}`},
	} {
		for _, id := range []string{`0`, `"x"`} {
			text := `{"jsonrpc":"2.0","id":` + id + test.params + `,"method":"x/y"}`
			if test.params == "" {
				text = `{"method":"x/y","jsonrpc":"2.0","id":` + id + `}`
			}
			var sent string
			r := &Route{Backend: "b", Meter: journal.New(journal.Options{}).Meter("b", "x"), Target: target(func(x upstream.Exchange) error {
				sent = string(x.Encode(nil, 100, test.to))
				return nil
			})}
			Carry(context.Background(), r.Prepare(nil), test.client, scan(t, text), new(ledger))
			want := `{"jsonrpc":"2.0","id":100` + test.want + `,"method":"x/y"}`
			if test.params == "" {
				want = `{"method":"x/y","jsonrpc":"2.0","id":100` + test.want + `}`
			}
			if sent != want {
				t.Errorf("sent %s\nwant %s", sent, want)
			}
		}
	}
}

// A legacy client's level goes with each request to a modern backend, which has no
// other way to know it.
func TestLevelOfALegacyClient(t *testing.T) {
	lane := new(upstream.Lane)
	text := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__tool"}}`
	if sent := encode(t, "tool", Client{Lane: lane}, text, modernPeer); strings.Contains(sent, "logLevel") {
		t.Errorf("without a level: %s", sent)
	}
	lane.SetLevel("warning")
	if sent := encode(t, "tool", Client{Lane: lane}, text, modernPeer); !strings.Contains(sent, `"io.modelcontextprotocol/logLevel":"warning"`) {
		t.Errorf("with a level: %s", sent)
	}
	if sent := encode(t, "tool", Client{Lane: lane}, text, legacyPeer); strings.Contains(sent, "logLevel") {
		t.Errorf("to a legacy backend: %s", sent)
	}
}

// A question that the backend takes back is taken back from the client; and none
// that was the gateway's own.
func TestUnask(t *testing.T) {
	for params, want := range map[string]string{`{"requestId":"q"}`: `b "q"`, `{"requestId":7}`: `b 7`, `{}`: "", `{"reason":"x"}`: ""} {
		got := relay(t, Client{}, request("1", ""), legacyPeer, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":`+params+`}`)
		if strings.Join(got.unasked, ",") != want || len(got.notified) > 0 {
			t.Errorf("%s: took back %q, notified %q", params, got.unasked, got.notified)
		}
	}
}
