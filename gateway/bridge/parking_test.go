package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// talk is a call as a legacy backend has it.
type talk struct {
	t    *testing.T
	x    upstream.Exchange
	sent string
}

// play is what a legacy backend does with a call.
type play func(ctx context.Context, k *talk) error

func (f live) Call(ctx context.Context, x upstream.Exchange) error {
	return f.play(ctx, &talk{f.t, x, string(x.Encode(nil, 100, legacyPeer))})
}

type live struct {
	t    *testing.T
	play play
}

// ask asks the client; the channel gets the response. It is nil when nobody can be
// asked.
func (k *talk) ask(id, method, params string) chan string {
	came := make(chan string, 8)
	m := scan(k.t, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`"`+params+`}`)
	ok := k.x.Ask(m, func(response []byte) { came <- string(response) })
	clear(m.Raw) // it is valid only during the call
	if !ok {
		return nil
	}
	return came
}

// send sends the client a message.
func (k *talk) send(text string) error {
	m := scan(k.t, text)
	defer clear(m.Raw)
	return k.x.Receive(m, legacyPeer)
}

// elicit asks one thing, and answers with what it was told.
func elicit(ctx context.Context, k *talk) error {
	select {
	case response := <-k.ask(`"e"`, "elicitation/create", `,"params":{"message":"who?"}`):
		return k.send(`{"jsonrpc":"2.0","id":100,"result":{"told":` + response + `}}`)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stand is a Parking with one tool of one backend behind it.
type stand struct {
	t     *testing.T
	p     *Parking
	route *Route
}

func newStand(t *testing.T, f play) *stand {
	r := route("tool", journal.New(journal.Options{}), nil)
	r.Target, r.Legacy = live{t, f}, true
	return &stand{t, NewParking([32]byte{7}), r}
}

// visit is one request of a modern client's: an Answer.
type visit struct {
	cancel   context.CancelCauseFunc
	done     chan struct{} // closed when the client has its answer
	onReply  func()
	mu       sync.Mutex // guards what follows
	notified []string
	replies  []string
	code     int
}

func (v *visit) Ask(string, *wire.Message, upstream.Reply) bool { return false }
func (v *visit) Unask(string, []byte)                           {}
func (v *visit) Note(*journal.Fate)                             {}

func (v *visit) Notify(m []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.notified = append(v.notified, string(m))
	return nil
}

func (v *visit) Reply(m []byte, code int) error {
	v.mu.Lock()
	v.replies, v.code = append(v.replies, string(m)), code
	v.mu.Unlock()
	if v.onReply != nil {
		v.onReply()
	}
	return nil
}

var asker = Client{Modern: true, Principal: "p", Capabilities: []byte(`{"elicitation":{},"sampling":{},"roots":{}}`)}

// begin sends a request and does not wait.
func (s *stand) begin(client Client, text string) *visit {
	return s.beginWith(new(visit), client, text)
}

func (s *stand) beginWith(v *visit, client Client, text string) *visit {
	s.t.Helper()
	v.done = make(chan struct{})
	var ctx context.Context
	ctx, v.cancel = context.WithCancelCause(context.Background())
	m := scan(s.t, text)
	client.Capabilities = bytes.Clone(client.Capabilities)
	go func() {
		defer close(v.done)
		defer v.cancel(nil)
		s.p.Carry(ctx, s.route, client, m, v)
		clear(m.Raw) // the request's memory is used for the next one
		clear(client.Capabilities)
	}()
	return v
}

// call sends a request and answers what it got.
func (s *stand) call(client Client, text string) outcome {
	s.t.Helper()
	v := s.begin(client, text)
	<-v.done
	return v.outcome(s.t)
}

type outcome struct {
	ID     json.RawMessage
	Result struct {
		ResultType    string
		RequestState  string
		InputRequests map[string]struct {
			Method string
			Params json.RawMessage
		}
		Told json.RawMessage
	}
	Error struct {
		Code    int
		Message string
	}
	raw string
}

func (v *visit) outcome(t *testing.T) (o outcome) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.replies) != 1 {
		t.Fatalf("%d replies: %q", len(v.replies), v.replies)
	}
	o.raw = v.replies[0]
	if err := json.Unmarshal([]byte(o.raw), &o); err != nil {
		t.Fatalf("%v: %s", err, o.raw)
	}
	if o.Error.Code != v.code {
		t.Errorf("code %d for %s", v.code, o.raw)
	}
	return o
}

const args = `{"a":1.0}`

func first(id string) string { return calling(id, "b__tool", args, "") }

// retry repeats a request with a state and the members of inputResponses.
func retry(id, state, responses string) string {
	return calling(id, "b__tool", args, `,"requestState":`+quoted(state)+`,"inputResponses":{`+responses+`}`)
}

func quoted(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

func calling(id, name, args, more string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":` + args + more + `,"_meta":{}}}`
}

const told = `"ask_1":{"action":"accept","content":{"n":12345678901234567890}}`

func TestParkedCallIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		defer s.p.Close()
		o := s.call(asker, first(`"one"`))
		want := `{"jsonrpc":"2.0","id":"one","result":{"resultType":"input_required","inputRequests":{"ask_1":{"method":"elicitation/create","params":{"message":"who?"}}},"requestState":` + quoted(o.Result.RequestState) + `}}`
		if o.raw != want || o.Result.RequestState == "" {
			t.Fatalf("got  %s\nwant %s", o.raw, want)
		}
		o = s.call(asker, retry(`2`, o.Result.RequestState, told))
		if want := `{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","told":{"jsonrpc":"2.0","id":"e","result":{"action":"accept","content":{"n":12345678901234567890}}}}}`; o.raw != want {
			t.Errorf("got  %s\nwant %s", o.raw, want)
		}
	})
}

// A request of the backend's without params gets some: clients rely on it.
func TestAskWithoutParams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(ctx context.Context, k *talk) error {
			k.ask("1", "roots/list", "")
			k.ask("2", "sampling/createMessage", `,"params":{"messages":[]}`)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		defer s.p.Close()
		if o := s.call(asker, first("1")); !strings.Contains(o.raw, `"inputRequests":{"ask_1":{"method":"roots/list","params":{}},"ask_2":{"method":"sampling/createMessage","params":{"messages":[]}}}`) {
			t.Errorf("got %s", o.raw)
		}
	})
}

// Whatever is wrong with a state, the call it belongs to is not touched.
func TestStateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		defer s.p.Close()
		state := s.call(asker, first("1")).Result.RequestState
		refused := func(what string, o outcome) {
			t.Helper()
			if o.Error.Code != -32602 || !strings.Contains(o.Error.Message, "requestState") || string(o.ID) != "2" {
				t.Errorf("%s: %s", what, o.raw)
			}
		}
		for i := len("mcpgw1."); i < len(state); i++ {
			for _, c := range []byte{'A', 'B', '_', '=', '\n'} {
				if changed := state[:i] + string(c) + state[i+1:]; changed != state {
					refused("changed", s.call(asker, retry("2", changed, told)))
				}
			}
		}
		for _, more := range []string{"A", "AA", "AAA", "AAAA", "=", "==", "\n", "\r\n", " ", "."} {
			refused("longer", s.call(asker, retry("2", state+more, told)))
		}
		for _, other := range []string{state[:len(state)-1], state[:len(state)-4], "mcpgw1.", state[:20], "mcpgw1." + state} {
			refused("another", s.call(asker, retry("2", other, told)))
		}
		other := asker
		other.Principal = "q"
		refused("other principal", s.call(other, retry("2", state, told)))
		refused("other arguments", s.call(asker, calling("2", "b__tool", `{"a":1}`, `,"requestState":"`+state+`","inputResponses":{`+told+`}`)))
		refused("other method", s.call(asker, strings.Replace(retry("2", state, told), "tools/call", "prompts/get", 1)))
		for _, r := range []*Route{
			(&Route{Backend: "b", Name: "other", Place: AtName, Meter: s.route.Meter, Target: s.route.Target}).Prepare(nil),
			(&Route{Backend: "c", Name: "tool", Place: AtName, Meter: s.route.Meter, Target: s.route.Target}).Prepare(nil),
		} {
			elsewhere := &stand{t, s.p, r}
			refused(r.Backend+"."+r.Name, elsewhere.call(asker, retry("2", state, told)))
		}
		if o := s.call(asker, retry("2", state, told)); o.Result.Told == nil {
			t.Errorf("the true one afterwards: %s", o.raw)
		}
		refused("used twice", s.call(asker, retry("2", state, told)))
	})
}

// Of several equal requests at once, one gets the call.
func TestStateIsGoodOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		defer s.p.Close()
		state := s.call(asker, first("1")).Result.RequestState
		var all []*visit
		for range 8 {
			all = append(all, s.begin(asker, retry("2", state, told)))
		}
		good := 0
		for _, v := range all {
			<-v.done
			if o := v.outcome(t); o.Result.Told != nil {
				good++
			} else if o.Error.Code != -32602 {
				t.Errorf("got %s", o.raw)
			}
		}
		if good != 1 {
			t.Errorf("%d got the result", good)
		}
	})
}

func TestParkedCallExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		s := newStand(t, func(ctx context.Context, k *talk) error {
			err := elicit(ctx, k)
			ended <- err
			return err
		})
		defer s.p.Close()
		state := s.call(asker, first("1")).Result.RequestState
		time.Sleep(parkTime - time.Second)
		synctest.Wait()
		if len(ended) > 0 {
			t.Fatalf("it ended early: %v", <-ended)
		}
		time.Sleep(2 * time.Second)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "did not give the input") {
			t.Errorf("the backend's call ended with %v", err)
		}
		if o := s.call(asker, retry("2", state, told)); o.Error.Code != -32602 || !strings.Contains(o.Error.Message, "expired") {
			t.Errorf("got %s", o.raw)
		}
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		if len(s.p.waits) != 0 {
			t.Errorf("%d calls are kept", len(s.p.waits))
		}
	})
}

// A state outlives the gateway, the call does not: the client is told to begin anew.
func TestStateAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		state := s.call(asker, first("1")).Result.RequestState
		s.p.Close()
		for what, p := range map[string]*Parking{"restarted": NewParking([32]byte{7}), "not of this gateway": NewParking([32]byte{8})} {
			after := &stand{t, p, s.route}
			if o := after.call(asker, retry("2", state, told)); o.Error.Code != -32602 || !strings.Contains(o.Error.Message, what) {
				t.Errorf("got %s", o.raw)
			}
			p.Close()
		}
	})
}

// A state that is not the gateway's is the backend's business.
func TestForeignStatePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, state := range []string{`"theirs"`, `"mcpgw2.x"`, `7`, `""`} {
			var sent string
			s := newStand(t, func(_ context.Context, k *talk) error {
				sent = k.sent
				return k.send(`{"jsonrpc":"2.0","id":100,"result":{}}`)
			})
			s.call(asker, calling("1", "b__tool", args, `,"requestState":`+state+`,"inputResponses":{"k":{}}`))
			s.p.Close()
			if !strings.Contains(sent, `"requestState":`+state+`,"inputResponses":{"k":{}}`) {
				t.Errorf("sent %s", sent)
			}
		}
	})
}

// Questions that come one after the other reach the client together; one that asks
// without end does not keep the client waiting for ever.
func TestQuestionsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(ctx context.Context, k *talk) error {
			for i := range 30 {
				if k.ask(fmt.Sprint(i), "roots/list", "") == nil {
					return errors.New("refused")
				}
				time.Sleep(gather * 2 / 3)
			}
			<-ctx.Done()
			return context.Cause(ctx)
		})
		defer s.p.Close()
		began := time.Now()
		o := s.call(asker, first("1"))
		if waited, n := time.Since(began), len(o.Result.InputRequests); waited > gatherMost+gather || n < 10 || n >= 30 {
			t.Errorf("%d questions after %v", n, waited)
		}
		time.Sleep(time.Second)
		// The rest is asked when the client comes back, with those that it has not answered.
		o = s.call(asker, retry("2", o.Result.RequestState, told))
		if n := len(o.Result.InputRequests); n != 29 || o.Result.InputRequests["ask_1"].Method != "" {
			t.Errorf("asked again: %d %s", n, o.raw)
		}
	})
}

func TestPartialAnswersAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(ctx context.Context, k *talk) error {
			a := k.ask("1", "roots/list", "")
			b := k.ask("2", "elicitation/create", `,"params":{"message":"b"}`)
			for range 2 {
				select {
				case <-a:
				case <-b:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return k.send(`{"jsonrpc":"2.0","id":100,"result":{"told":true}}`)
		})
		defer s.p.Close()
		old := s.call(asker, first("1")).Result.RequestState
		state := old
		for i, responses := range []string{``, `"ask_2":null`, `"ask_2":7,"unknown":{}`, `"ask_2":[]`, `"ask_1":{"roots":[]}`, `"ask_1":{"roots":[]}`} {
			o := s.call(asker, retry("2", state, responses))
			want := 2
			if i >= 4 {
				want = 1
			}
			if len(o.Result.InputRequests) != want || o.Result.InputRequests["ask_2"].Method != "elicitation/create" || o.Result.RequestState == state {
				t.Fatalf("after %q: %s", responses, o.raw)
			}
			state = o.Result.RequestState
		}
		for _, form := range []string{`null`, `[]`, `"x"`, `7`} {
			o := s.call(asker, calling("2", "b__tool", args, `,"requestState":`+quoted(state)+`,"inputResponses":`+form))
			if len(o.Result.InputRequests) != 1 {
				t.Fatalf("after %s: %s", form, o.raw)
			}
			state = o.Result.RequestState
		}
		if o := s.call(asker, calling("2", "b__tool", args, `,"requestState":`+quoted(state))); len(o.Result.InputRequests) != 1 {
			t.Fatalf("without inputResponses: %s", o.raw)
		} else {
			state = o.Result.RequestState
		}
		if o := s.call(asker, retry("3", old, `"ask_2":{}`)); o.Error.Code != -32602 {
			t.Errorf("the first state: %s", o.raw)
		}
		if o := s.call(asker, retry("3", state, `"ask_2":{"action":"decline"}`)); string(o.Result.Told) != "true" {
			t.Errorf("in the end: %s", o.raw)
		}
	})
}

// A backend that answers, or fails, while its client is thinking.
func TestResponseWhileParked(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(k *talk) error
		want string
	}{
		"result": {func(k *talk) error { return k.send(`{"jsonrpc":"2.0","id":100,"result":{"content":[]}}`) },
			`{"jsonrpc":"2.0","id":"two","result":{"resultType":"complete","content":[]}}`},
		"error": {func(k *talk) error {
			return k.send(`{"jsonrpc":"2.0","id":100,"error":{"code":-32601,"message":"no"}}`)
		}, `{"jsonrpc":"2.0","id":"two","error":{"code":-32601,"message":"no"}}`},
		"failure": {func(*talk) error { return errors.New("it died") },
			`{"jsonrpc":"2.0","id":"two","result":{"resultType":"complete","content":[{"type":"text","text":"Error: it died"}],"isError":true}}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, func(_ context.Context, k *talk) error {
				k.ask("1", "elicitation/create", "")
				time.Sleep(time.Second)
				return test.end(k)
			})
			defer s.p.Close()
			state := s.call(asker, first("1")).Result.RequestState
			time.Sleep(time.Minute)
			if o := s.call(asker, retry(`"two"`, state, told)); o.raw != test.want {
				t.Errorf("%s: got  %s\nwant %s", name, o.raw, test.want)
			}
			if o := s.call(asker, retry(`"two"`, state, told)); o.Error.Code != -32602 {
				t.Errorf("%s, again: %s", name, o.raw)
			}
		})
	}
}

// What the first request said of its client is known as long as the call lasts.
func TestParkedCallKnowsItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(ctx context.Context, k *talk) error {
			select {
			case <-k.ask("1", "roots/list", ""):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			return k.send(`{"jsonrpc":"2.0","id":100,"error":{"code":-32042,"message":"first","data":{"elicitations":[{"mode":"url","url":"https://x"}]}}}`)
		})
		defer s.p.Close()
		state := s.call(asker, first("1")).Result.RequestState
		if o := s.call(asker, retry("2", state, `"ask_1":{}`)); o.Result.InputRequests["mcpgw_visit_1"].Method != "elicitation/create" {
			t.Errorf("got %s", o.raw)
		}
	})
}

func TestCancelWhileAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := errors.New("left")
		ended := make(chan error, 1)
		s := newStand(t, func(ctx context.Context, k *talk) error {
			if err := elicit(ctx, k); err != nil {
				return err
			}
			return nil
		})
		s.route.Target = live{t, func(ctx context.Context, k *talk) error {
			<-k.ask("1", "elicitation/create", "")
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return context.Cause(ctx)
		}}
		defer s.p.Close()
		state := s.call(asker, first("1")).Result.RequestState
		v := s.begin(asker, retry("2", state, told))
		synctest.Wait()
		v.cancel(left)
		if err := <-ended; err != left {
			t.Errorf("the backend's call ended with %v", err)
		}
		<-v.done
		if len(v.replies) > 0 {
			t.Errorf("a client that left was answered: %q", v.replies)
		}
		// Likewise before anything was asked.
		s.route.Target = live{t, func(ctx context.Context, k *talk) error {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return context.Cause(ctx)
		}}
		v = s.begin(asker, first("3"))
		synctest.Wait()
		v.cancel(left)
		if err := <-ended; err != left {
			t.Errorf("the backend's call ended with %v", err)
		}
		<-v.done
	})
}

// A client that closes its connection as soon as it has been asked has not cancelled:
// the call waits for its answer.
func TestLeavingWithTheQuestionIsNoCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		defer s.p.Close()
		for range 64 {
			v := new(visit)
			v.onReply = func() {
				v.cancel(context.Canceled)
				for range 20 {
					runtime.Gosched() // to whoever notices that
				}
			}
			<-s.beginWith(v, asker, first("1")).done
			if o := s.call(asker, retry("2", v.outcome(t).Result.RequestState, told)); o.Result.Told == nil {
				t.Fatalf("got %s", o.raw)
			}
		}
	})
}

// Close ends what is parked and what is not, and nothing begins after it.
func TestCloseWithParkedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 16)
		called := 0
		s := newStand(t, func(ctx context.Context, k *talk) error {
			called++
			k.ask("1", "elicitation/create", "")
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return context.Cause(ctx)
		})
		state := s.call(asker, first("1")).Result.RequestState
		s.call(asker, first("2"))
		open := s.begin(asker, first("3"))
		synctest.Wait()
		s.p.Close()
		<-open.done
		if len(ended) != 3 {
			t.Fatalf("%d calls ended", len(ended))
		}
		for range 3 {
			if err := <-ended; err != errClosing {
				t.Errorf("ended with %v", err)
			}
		}
		<-s.begin(asker, first("4")).done
		if called != 3 {
			t.Errorf("%d calls began", called)
		}
		v := s.begin(asker, retry("5", state, told))
		<-v.done
		if len(v.replies) != 1 || v.outcome(t).Error.Code != -32602 {
			t.Errorf("a retry after the end: %q", v.replies)
		}
	})
}

func TestBoundsOfParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, elicit)
		defer s.p.Close()
		as := func(principal string) Client {
			c := asker
			c.Principal = principal
			return c
		}
		states := make([]string, maxParked)
		for i := range states {
			o := s.call(as(fmt.Sprint(i/maxOwn)), first("1"))
			if states[i] = o.Result.RequestState; states[i] == "" {
				t.Fatalf("call %d: %s", i, o.raw)
			}
			if i == maxOwn-1 {
				if o := s.call(as("0"), first("1")); o.Error.Code != -32603 || !strings.Contains(o.Error.Message, "200 calls wait") {
					t.Errorf("one too many of its own: %s", o.raw)
				}
			}
		}
		if o := s.call(as("new"), first("1")); o.Error.Code != -32603 {
			t.Errorf("one too many: %s", o.raw)
		}
		if o := s.call(as("0"), retry("2", states[0], told)); o.Result.Told == nil {
			t.Errorf("got %s", o.raw)
		}
		if o := s.call(as("new"), first("1")); o.Result.RequestState == "" {
			t.Errorf("after one went: %s", o.raw)
		}
	})
}

// Progress goes to the request that is there, under its own token.
func TestProgressOfARetry(t *testing.T) {
	const log = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":1}}`
	for token, want := range map[string]string{`"second"`: `"second"`, `0`: `0`, ``: ``} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, func(_ context.Context, k *talk) error {
				progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":100,"progress":1}}`
				_ = k.send(progress)
				asked := k.ask("1", "elicitation/create", "")
				time.Sleep(time.Second) // nobody is there
				_ = k.send(progress)
				<-asked
				_ = k.send(progress)
				_ = k.send(log)
				return k.send(`{"jsonrpc":"2.0","id":100,"result":{}}`)
			})
			defer s.p.Close()
			level := `"_meta":{"io.modelcontextprotocol/logLevel":"info"`
			v := s.begin(asker, strings.Replace(first("1"), `"_meta":{`, level+`,"progressToken":"first"`, 1))
			<-v.done
			if len(v.notified) != 1 || !strings.Contains(v.notified[0], `"progressToken":"first"`) {
				t.Errorf("first: %q", v.notified)
			}
			more := ""
			if token != "" {
				more = `,"progressToken":` + token
			}
			time.Sleep(time.Minute)
			v = s.begin(asker, strings.Replace(retry("2", v.outcome(t).Result.RequestState, told), `"_meta":{`, level+more, 1))
			<-v.done
			if want == "" {
				if len(v.notified) != 1 || v.notified[0] != log {
					t.Errorf("without a token: %q", v.notified)
				}
			} else if len(v.notified) != 2 || !strings.Contains(v.notified[0], `"progressToken":`+want+`,`) || v.notified[1] != log {
				t.Errorf("token %s: %q", token, v.notified)
			}
		})
	}
}

// What the backend takes back is not asked, and an answer to it goes nowhere.
func TestQuestionTakenBack(t *testing.T) {
	cancel := func(id string) string {
		return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
	}
	synctest.Test(t, func(t *testing.T) {
		var gone chan string
		s := newStand(t, func(_ context.Context, k *talk) error {
			k.ask("1", "elicitation/create", "")
			_ = k.send(cancel("1"))
			time.Sleep(time.Second) // there is nothing to tell
			gone = k.ask(`"1"`, "elicitation/create", "")
			kept := k.ask("3", "roots/list", "")
			time.Sleep(time.Second)
			_ = k.send(cancel("1")) // the other 1
			_ = k.send(cancel(`"1"`))
			<-kept
			return k.send(`{"jsonrpc":"2.0","id":100,"result":{"told":true}}`)
		})
		defer s.p.Close()
		o := s.call(asker, first("1"))
		if len(o.Result.InputRequests) != 2 {
			t.Fatalf("asked %s", o.raw)
		}
		time.Sleep(time.Minute)
		if o := s.call(asker, retry("2", o.Result.RequestState, `"ask_2":{},"ask_3":{}`)); string(o.Result.Told) != "true" || len(gone) != 0 {
			t.Errorf("%s; %d answers to what nobody wants", o.raw, len(gone))
		}
	})
}

func TestWhatCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(_ context.Context, k *talk) error {
			for _, method := range []string{"ping", "tools/call", "no/such", `elicitation/create\" x`} {
				if k.ask("1", method, "") != nil {
					t.Errorf("%s was taken", method)
				}
			}
			for i := range maxAsks {
				if k.ask(fmt.Sprint(i), "roots/list", "") == nil {
					t.Errorf("question %d was refused", i)
				}
			}
			if k.ask(`"more"`, "roots/list", "") != nil {
				t.Error("one too many was taken")
			}
			err := k.send(`{"jsonrpc":"2.0","id":100,"result":{}}`)
			if k.ask(`"late"`, "roots/list", "") != nil {
				t.Error("a question after the answer was taken")
			}
			return err
		})
		defer s.p.Close()
		if o := s.call(asker, first("1")); o.Result.ResultType != "complete" {
			t.Errorf("got %s", o.raw)
		}
	})
}

// A call without questions is as quick as any, and leaves nothing behind.
func TestUnparkedCallLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(_ context.Context, k *talk) error { return k.send(`{"jsonrpc":"2.0","id":100,"result":{}}`) })
		for range 100 {
			if o := s.call(asker, first("1")); o.Result.ResultType != "complete" {
				t.Fatalf("got %s", o.raw)
			}
		}
		if len(s.p.waits) != 0 {
			t.Errorf("%d calls are parked", len(s.p.waits))
		}
		s.p.Close()
	})
}

func TestAsks(t *testing.T) {
	for capabilities, want := range map[string]bool{``: false, `{}`: false, `null`: false, `{"experimental":{}}`: false, `{"x":{"roots":{}}}`: false,
		`{"elicitation":{}}`: true, `{"sampling":{}}`: true, `{"roots":{"listChanged":true}}`: true} {
		if Asks([]byte(capabilities)) != want {
			t.Errorf("%s: %v", capabilities, !want)
		}
	}
}
