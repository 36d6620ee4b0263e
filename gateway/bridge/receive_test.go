package bridge

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

func request(id, meta string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"b__tool","_meta":{` + meta + `}}}`
}

// The response comes back under the client's id, and otherwise as it was, save the
// resultType that only 2026-07-28 knows.
func TestResponse(t *testing.T) {
	synctest.Test(t, responses) // asking again takes its time
}

func responses(t *testing.T) {
	legacy, modern := Client{}, Client{Modern: true}
	for name, test := range map[string]struct {
		client    Client
		from      upstream.Peer
		got, want string
	}{
		"as it is": {legacy, legacyPeer,
			`{"jsonrpc":"2.0","id":100,"result":{"content":` + odd + `,"id":100,"unknown":[1e400]}}`,
			`{"jsonrpc":"2.0","id":ID,"result":{"content":` + odd + `,"id":100,"unknown":[1e400]}}`},
		"spaces and order": {legacy, legacyPeer, "{ \"result\" : {} ,\n\"id\":100, \"jsonrpc\" : \"2.0\" }", "{ \"result\" : {} ,\n\"id\":ID, \"jsonrpc\" : \"2.0\" }"},
		"resultType for a modern client": {modern, legacyPeer, `{"jsonrpc":"2.0","id":100,"result":{"content":[]}}`,
			`{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","content":[]}}`},
		"result before id":         {modern, legacyPeer, `{"result":{ "content":[]},"id":100,"jsonrpc":"2.0"}`, `{"result":{"resultType":"complete", "content":[]},"id":ID,"jsonrpc":"2.0"}`},
		"empty result":             {modern, legacyPeer, `{"jsonrpc":"2.0","id":100,"result":{ }}`, `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete" }}`},
		"result that is no object": {modern, legacyPeer, `{"jsonrpc":"2.0","id":100,"result":null}`, `{"jsonrpc":"2.0","id":ID,"result":null}`},
		"resultType that is there": {modern, legacyPeer, `{"jsonrpc":"2.0","id":100,"result":{"resultType":"task"}}`, `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"task"}}`},
		"input_required between modern": {modern, modernPeer, `{"jsonrpc":"2.0","id":100,"result":{"resultType":"input_required","inputRequests":{"k":{"params":{}}},"requestState":"s"}}`,
			`{"jsonrpc":"2.0","id":ID,"result":{"resultType":"input_required","inputRequests":{"k":{"params":{}}},"requestState":"s"}}`},
		"modern to legacy": {legacy, modernPeer, `{"jsonrpc":"2.0","id":100,"result":{"resultType":"complete","content":[]}}`, `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","content":[]}}`},
		"input_required to a legacy client": {legacy, modernPeer, `{"jsonrpc":"2.0","id":100,"result":{"resultType":"input_required","requestState":"s"}}`,
			`{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"Error: backend \"b\" asked for input 10 times and gave no result"}],"isError":true}}`},
		"error": {modern, legacyPeer, `{"jsonrpc":"2.0","id":100,"error":{"code":-32602,"message":"no \u2028","data":{"big":1e400,"a":1,"a":2},"more":[1.0]}}`,
			`{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no \u2028","data":{"big":1e400,"a":1,"a":2},"more":[1.0]}}`},
		"error without an id": {legacy, modernPeer, `{"jsonrpc":"2.0","id":null,"error":{"code":4242,"message":""}}`, `{"jsonrpc":"2.0","id":ID,"error":{"code":4242,"message":""}}`},
	} {
		for _, id := range []string{`0`, `"7"`, `12345678901234567890`} {
			got := relay(t, test.client, request(id, ""), test.from, test.got).reply(t)
			if want := strings.Replace(test.want, `"id":ID`, `"id":`+id, 1); got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
		}
	}
}

func TestErrorCode(t *testing.T) {
	synctest.Test(t, errorCodes) // asking again takes its time
}

func errorCodes(t *testing.T) {
	for text, want := range map[string]int{
		`"error":{"code":-32601,"message":"x"}`:    -32601,
		`"error":{"message":"x","code":4242}`:      4242,
		`"error":{"code":"x","message":"x"}`:       0,
		`"result":{"isError":true}`:                0,
		`"result":{"resultType":"input_required"}`: 0,
	} {
		if got := relay(t, Client{}, request("1", ""), modernPeer, `{"jsonrpc":"2.0","id":100,`+text+`}`); got.code != want {
			t.Errorf("%s: code %d, want %d", text, got.code, want)
		}
	}
}

// Progress gets the client's token back, with its type; that of other calls is
// dropped, and the order stays.
func TestProgress(t *testing.T) {
	progress := func(token, more string) string {
		return `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.50,"progressToken":` + token + more + `}}`
	}
	for _, token := range []string{`0`, `"t\u0041"`, `9007199254740993`} {
		for _, client := range []Client{{}, {Modern: true}} {
			for _, from := range []upstream.Peer{legacyPeer, modernPeer} {
				got := relay(t, client, request("1", `"progressToken":`+token), from,
					progress("100", `,"n":1`), progress("101", ""), progress(`"100"`, ""), progress("100", `,"n":2`), progress(token, `,"n":3`), `{"jsonrpc":"2.0","id":100,"result":{}}`)
				if want := []string{progress(token, `,"n":1`), progress(token, `,"n":2`)}; !slices.Equal(got.notified, want) {
					t.Errorf("token %s: got %q, want %q", token, got.notified, want)
				}
			}
		}
	}
	if got := relay(t, Client{}, request("1", ""), legacyPeer, progress("100", ""), progress("1", "")); len(got.notified) > 0 {
		t.Errorf("progress nobody asked for: %q", got.notified)
	}
}

// Which notifications reach which client.
func TestNotifications(t *testing.T) {
	message := func(level string) string {
		return `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"` + level + `","data":[1e400]}}`
	}
	const cancelled = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":100}}`
	const custom = `{"jsonrpc":"2.0","method":"notifications/custom","params":{"x":1}}`
	for name, test := range map[string]struct {
		client Client
		meta   string
		from   upstream.Peer
		got    string
		pass   bool
	}{
		"message to legacy":                      {Client{}, "", legacyPeer, message("debug"), true},
		"message to modern without level":        {Client{Modern: true}, "", legacyPeer, message("emergency"), false},
		"message to modern of the level":         {Client{Modern: true}, `"io.modelcontextprotocol/logLevel":"warning"`, legacyPeer, message("warning"), true},
		"message to modern above the level":      {Client{Modern: true}, `"io.modelcontextprotocol/logLevel":"warning"`, modernPeer, message("error"), true},
		"message to modern below the level":      {Client{Modern: true}, `"io.modelcontextprotocol/logLevel":"warning"`, legacyPeer, message("info"), false},
		"message to modern with a level unknown": {Client{Modern: true}, `"io.modelcontextprotocol/logLevel":7`, legacyPeer, message("error"), false},
		"cancelled":                              {Client{}, "", legacyPeer, cancelled, false},
		"custom between equals":                  {Client{Modern: true}, "", modernPeer, custom, true},
		"custom between eras":                    {Client{Modern: true}, "", legacyPeer, custom, false},
		"custom between eras, the other way":     {Client{}, "", modernPeer, custom, false},
	} {
		got := relay(t, test.client, request("1", test.meta), test.from, test.got)
		if test.pass && !slices.Equal(got.notified, []string{test.got}) || !test.pass && len(got.notified) > 0 {
			t.Errorf("%s: got %q", name, got.notified)
		}
	}
}

// What became of a call is in the journal.
func TestOutcome(t *testing.T) {
	synctest.Test(t, outcomes) // asking again takes its time
}

func outcomes(t *testing.T) {
	for name, test := range map[string]struct {
		result string
		errors uint64
	}{
		"result":         {`"result":{}`, 0},
		"isError":        {`"result":{"isError":true}`, 1},
		"error":          {`"error":{"code":1,"message":"x"}`, 1},
		"input required": {`"result":{"resultType":"input_required"}`, 1},
	} {
		j := journal.New(journal.Options{})
		r := route("tool", j, func(x upstream.Exchange) error {
			x.Encode(nil, 100, modernPeer)
			return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,`+test.result+`}`), modernPeer)
		})
		Carry(context.Background(), r, Client{}, scan(t, request("1", "")), new(ledger))
		if s := j.Meter("b", "tool").Stats(); s.Calls != 1 || s.Errors != test.errors {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
