package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// rounds plays a modern backend that answers each attempt with the next of results,
// the last one for ever, and keeps what it was sent.
func rounds(t *testing.T, sent *[]string, results ...string) target {
	n := 0
	return func(x upstream.Exchange) error {
		*sent = append(*sent, string(x.Encode(nil, 100, modernPeer)))
		member := results[min(n, len(results)-1)]
		n++
		m := scan(t, `{"jsonrpc":"2.0","id":100,`+member+`}`)
		defer clear(m.Raw)
		return x.Receive(m, modernPeer)
	}
}

var capable = Client{Principal: "tag", Info: []byte(`{"name":"c","version":"1"}`), Capabilities: []byte(`{"elicitation":{},"sampling":{},"roots":{}}`)}

const (
	asksAll = `"result":{"resultType":"input_required","requestState":"s\u0031","inputRequests":{
		"who":{"method":"elicitation/create","params":{"message":"who?","n":1e400}},
		"w\u0068at \"1\"":{"method":"sampling/createMessage","params":{"messages":[]}},
		"where":{"method":"roots/list","params":null}}}`
	finished = `"result":{"resultType":"complete","content":[]}`
	plain    = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"b__tool","arguments":{"a":1.0}}}`
)

// All three kinds of questions go out as the requests that the client knows, and the
// answers go back in the repeated request, byte for byte.
func TestFulfil(t *testing.T) {
	var sent []string
	got := &ledger{answers: func(m *wire.Message) string { return `"result":{ "to":"` + m.Method + `","n":1.0}` }}
	Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, asksAll, finished)), capable, scan(t, plain), got)
	wantAsked := []string{
		`{"jsonrpc":"2.0","id":"who","method":"elicitation/create","params":{"message":"who?","n":1e400}}`,
		`{"jsonrpc":"2.0","id":"what \"1\"","method":"sampling/createMessage","params":{"messages":[]}}`,
		`{"jsonrpc":"2.0","id":"where","method":"roots/list"}`,
	}
	if fmt.Sprint(got.asked) != fmt.Sprint(wantAsked) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(got.asked, "\n"), strings.Join(wantAsked, "\n"))
	}
	if got.reply(t) != `{"jsonrpc":"2.0","id":7,`+finished+`}` {
		t.Errorf("replied %s", got.reply(t))
	}
	if len(sent) != 2 {
		t.Fatalf("sent %q", sent)
	}
	var first, second wire.Message
	if first.Scan([]byte(sent[0])) != nil || second.Scan([]byte(sent[1])) != nil {
		t.Fatalf("sent %q", sent)
	}
	if state := string(second.RequestState.In(second.Raw)); state != `"s\u0031"` {
		t.Errorf("state %s", state)
	}
	if in := second.InputResponses.In(second.Raw); string(in) != `{"who":{ "to":"elicitation/create","n":1.0},"what \"1\"":{ "to":"sampling/createMessage","n":1.0},"where":{ "to":"roots/list","n":1.0}}` {
		t.Errorf("inputResponses %s", in)
	}
	for _, m := range []*wire.Message{&first, &second} {
		if string(m.Arguments.In(m.Raw)) != `{"a":1.0}` || string(m.MetaCapabilities.In(m.Raw)) != string(capable.Capabilities) {
			t.Errorf("sent %s", m.Raw)
		}
	}
	if first.RequestState.Present() || first.InputResponses.Present() {
		t.Errorf("sent first %s", first.Raw)
	}
}

// Each form of a request can be repeated.
func TestFulfilForms(t *testing.T) {
	const need = `"result":{"resultType":"input_required","requestState":1,"inputRequests":{"k":{"method":"roots/list"}}}`
	for form, params := range map[string]string{
		`,"params":{"name":"b__tool"}`: `"name":"tool"`, `,"params":{"name":"b__tool","_meta":null}`: `"name":"tool"`,
		`,"params":{"name":"b__tool","_meta":{"x":1}}`: `"x":1`, ``: `"inputResponses":{"k":{}},"requestState":1`, `,"params":{}`: "", `,"params":null`: "",
	} {
		var sent []string
		r := route("tool", journal.New(journal.Options{}), rounds(t, &sent, need, finished))
		if !strings.Contains(form, "b__tool") {
			r.Place = Nowhere
		}
		got := &ledger{answers: func(*wire.Message) string { return `"result":{}` }}
		Carry(context.Background(), r, capable, scan(t, `{"jsonrpc":"2.0","id":7,"method":"tools/call"`+form+`}`), got)
		if got.reply(t) != `{"jsonrpc":"2.0","id":7,`+finished+`}` || len(sent) != 2 {
			t.Errorf("%s: %q, sent %q", form, got.replies, sent)
			continue
		}
		m := scan(t, sent[1])
		if string(m.InputResponses.In(m.Raw)) != `{"k":{}}` || string(m.RequestState.In(m.Raw)) != "1" || !m.MetaVersion.Present() || !strings.Contains(sent[1], params) {
			t.Errorf("%s: sent %s", form, sent[1])
		}
	}
}

// What ends a call that needs input, and how.
func TestFulfilRefused(t *testing.T) {
	ask := func(request string) string {
		return `"result":{"resultType":"input_required","inputRequests":{"k":` + request + `}}`
	}
	many := make([]string, maxAsks+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":{"method":"roots/list"}`, i)
	}
	yes := func(*wire.Message) string { return `"result":{}` }
	for name, test := range map[string]struct {
		need    string
		client  Client
		answers func(*wire.Message) string
		code    int
		want    string
		asked   int
	}{
		"not declared": {ask(`{"method":"sampling/createMessage","params":{}}`), Client{Capabilities: []byte(`{"elicitation":{}}`)}, yes, -32021,
			`"data":{"requiredCapabilities":{"sampling":{}}}`, 0},
		"nothing declared":          {ask(`{"method":"roots/list"}`), Client{}, yes, -32021, `"data":{"requiredCapabilities":{"roots":{}}}`, 0},
		"unknown method":            {ask(`{"method":"tasks/get"}`), capable, yes, 0, `asks for \"tasks/get\", which no client`, 0},
		"no method":                 {ask(`{}`), capable, yes, 0, `asks for \"\", which no client`, 0},
		"method no string":          {ask(`{"method":7}`), capable, yes, 0, `asks for \"\"`, 0},
		"no object":                 {ask(`"roots/list"`), capable, yes, 0, `asks for \"\"`, 0},
		"params with a name twice":  {ask(`{"method":"elicitation/create","params":{"name":1,"name":2}}`), capable, yes, 0, "cannot be read", 0},
		"no stream":                 {ask(`{"method":"roots/list"}`), capable, nil, 0, "Accept: text/event-stream", 1},
		"client error":              {ask(`{"method":"roots/list"}`), capable, func(*wire.Message) string { return `"error":{"code":-1,"message":"user said \"no\"","data":[1e400]}` }, -1, `{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"user said \"no\"","data":[1e400]}}`, 1},
		"client error without data": {ask(`{"method":"roots/list"}`), capable, func(*wire.Message) string { return `"error":{"code":-32601,"message":""}` }, -32601, `"message":"error -32601"}}`, 1},
		"too many at once":          {`"result":{"resultType":"input_required","inputRequests":{` + strings.Join(many, ",") + `}}`, capable, yes, 0, "more than 32 inputs at once", 0},
	} {
		var sent []string
		got := &ledger{answers: test.answers}
		Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, test.need, finished)), test.client, scan(t, plain), got)
		if reply := got.reply(t); got.code != test.code || !strings.Contains(reply, test.want) || len(sent) != 1 {
			t.Errorf("%s: code %d, %s, %d attempts", name, got.code, reply, len(sent))
		}
		if len(got.asked) != test.asked {
			t.Errorf("%s: the client was asked %d times", name, len(got.asked))
		}
	}
	most := `"result":{"resultType":"input_required","inputRequests":{` + strings.Join(many[1:], ",") + `}}`
	var sent []string
	got := &ledger{answers: yes}
	Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, most, finished)), capable, scan(t, plain), got)
	if len(got.asked) != maxAsks || !strings.Contains(got.reply(t), finished) {
		t.Errorf("%d questions: %q", len(got.asked), got.replies)
	}
}

// A backend that asks for nothing wants to be left alone for a while, longer each
// time, and not for ever.
func TestLoadShedding(t *testing.T) {
	for name, need := range map[string]string{
		"state only":  `"result":{"resultType":"input_required","requestState":"s"}`,
		"neither":     `"result":{"resultType":"input_required"}`,
		"no requests": `"result":{"resultType":"input_required","requestState":"s","inputRequests":{}}`,
		"null":        `"result":{"resultType":"input_required","requestState":"s","inputRequests":null}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent []string
			began := time.Now()
			got := &ledger{answers: func(*wire.Message) string { return `"result":{}` }}
			Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, need, need, finished)), capable, scan(t, plain), got)
			if waited := time.Since(began); waited != 3*shed || len(got.asked) > 0 || !strings.Contains(got.reply(t), finished) || len(sent) != 3 {
				t.Errorf("%s: %v, asked %q, replied %q", name, waited, got.asked, got.replies)
			}
			for i, text := range sent {
				if m := scan(t, text); m.InputResponses.Present() || m.RequestState.Present() != (i > 0 && name != "neither") {
					t.Errorf("%s: sent %s", name, text)
				}
			}
			sent = nil
			got = new(ledger)
			Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, need)), capable, scan(t, plain), got)
			if !strings.Contains(got.reply(t), "asked for input 10 times and gave no result") || len(sent) != maxRounds+1 {
				t.Errorf("%s, for ever: %q after %d", name, got.replies, len(sent))
			}
			// The client need not wait for the end of it.
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(shed/2, func() { cancel(ErrCancelled) })
			began, got = time.Now(), new(ledger)
			Carry(ctx, route("tool", journal.New(journal.Options{}), rounds(t, &sent, need)), capable, scan(t, plain), got)
			if time.Since(began) != shed/2 || len(got.replies) > 0 {
				t.Errorf("%s, cancelled: %q after %v", name, got.replies, time.Since(began))
			}
		})
	}
}

func TestTooManyRounds(t *testing.T) {
	var sent []string
	got := &ledger{answers: func(*wire.Message) string { return `"result":{}` }}
	r := route("tool", journal.New(journal.Options{}), rounds(t, &sent, `"result":{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}`))
	Carry(context.Background(), r, capable, scan(t, plain), got)
	if !strings.Contains(got.reply(t), "asked for input 10 times") || len(got.asked) != maxRounds {
		t.Errorf("%q after %d questions", got.replies, len(got.asked))
	}
	// On another method it is an error, which says whose.
	got = &ledger{answers: func(*wire.Message) string { return `"result":{}` }}
	Carry(context.Background(), r, capable, scan(t, strings.Replace(plain, "tools/call", "prompts/get", 1)), got)
	if got.code != -32603 || !strings.HasSuffix(got.reply(t), `"data":{"backend":"b"}}}`) {
		t.Errorf("replied %q", got.replies)
	}
}

// A client that cancels while it is asked is not answered; one that says nothing for
// long is.
func TestFulfilEnds(t *testing.T) {
	need := `"result":{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"},"l":{"method":"roots/list"}}}`
	silent := func(m *wire.Message) string {
		if string(m.ID.In(m.Raw)) == `"l"` {
			return `"result":{}`
		}
		return ""
	}
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Minute, func() { cancel(ErrCancelled) })
		got := &ledger{answers: silent}
		began := time.Now()
		Carry(ctx, route("tool", journal.New(journal.Options{}), rounds(t, &sent, need)), capable, scan(t, plain), got)
		if time.Since(began) != time.Minute || len(got.replies) > 0 || len(sent) != 1 {
			t.Errorf("cancelled: %q after %v", got.replies, time.Since(began))
		}
		got = &ledger{answers: silent}
		began = time.Now()
		Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, need)), capable, scan(t, plain), got)
		if time.Since(began) != thinking || !strings.Contains(got.reply(t), "the client did not answer what backend") {
			t.Errorf("silent: %q after %v", got.replies, time.Since(began))
		}
	})
}

// Between moderns nothing is fulfilled, and an error of the transport ends it all.
func TestFulfilIsForLegacyClients(t *testing.T) {
	var sent []string
	got := new(ledger)
	Carry(context.Background(), route("tool", journal.New(journal.Options{}), rounds(t, &sent, asksAll)), Client{Modern: true}, scan(t, plain), got)
	if got.reply(t) != `{"jsonrpc":"2.0","id":7,`+asksAll+`}` || len(got.asked) > 0 {
		t.Errorf("replied %q", got.replies)
	}
	n := 0
	f := rounds(t, &sent, asksAll)
	got = &ledger{answers: func(*wire.Message) string { return `"result":{}` }}
	Carry(context.Background(), route("tool", journal.New(journal.Options{}), func(x upstream.Exchange) error {
		if n++; n > 1 {
			return errors.New("it died")
		}
		return f(x)
	}), capable, scan(t, plain), got)
	if !strings.Contains(got.reply(t), "it died") {
		t.Errorf("replied %q", got.replies)
	}
}
