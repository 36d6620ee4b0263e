package e2e

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"
)

// meeting is a place that nobody leaves before all are there.
type meeting struct {
	size int

	mu   sync.Mutex // guards what follows
	here int
	all  chan struct{}
}

// attend reports whether the others came.
func (m *meeting) attend() bool {
	m.mu.Lock()
	if m.all == nil {
		m.all = make(chan struct{})
	}
	all := m.all
	if m.here++; m.here == m.size {
		close(all)
		m.here, m.all = 0, nil
	}
	m.mu.Unlock()
	select {
	case <-all:
		return true
	case <-time.After(patience):
		return false
	}
}

const notMet = `"error":{"code":1,"message":"the other calls did not come"}`

// atOnce asks all at the same time.
func atOnce(t *testing.T, c *rawClient, asks ...ask) []answer {
	t.Helper()
	got := make([]answer, len(asks))
	var all sync.WaitGroup
	for i, a := range asks {
		all.Go(func() {
			var err error
			if got[i], err = c.try(t.Context(), a); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	all.Wait()
	return got
}

var rowsIDs = []string{`0`, `-1`, `9007199254740993`, `"server-discover-probe-1"`, `"listen:0"`, `"0"`, `""`, `"\u0041\/\u2028é"`}

func prepareIDs(s *rowsStub) {
	s.tool("ids", answers(`"result":{"content":[]}`))
	s.tool("ids_bad", answers(`"error":{"code":1,"message":"no"}`))
	both := &meeting{size: 2}
	s.tool("ids_pair", func(c *rowsCall) string {
		if !both.attend() {
			return notMet
		}
		return `"result":{"content":[],"who":` + string(get(c.params, "arguments")) + `}`
	})
}

// Every id comes back as it was written, whoever answers. Towards a backend ids are
// the gateway's own: two clients that count alike do not meet there, which the stub
// checks for all requests of a session.
func runIDs(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for _, id := range rowsIDs {
			asks := []ask{{method: "tools/list"}, {method: "made/up"}, w.call("ids", `{}`), w.call("ids_bad", `{}`), read("ids://nobody")}
			for _, a := range asks {
				a.id = id
				if got := w.c.tryCall(t, a); string(get(got.final, "id")) != id {
					t.Errorf("%s %s: sent id %s, got %v", a.method, a.name, id, got)
				}
			}
		}
		one, other := w.dial(t), w.dial(t)
		var got [2]answer
		var both sync.WaitGroup
		for i, c := range []*rawClient{one, other} {
			both.Go(func() {
				a := w.call("ids_pair", fmt.Sprintf(`{"client":%d}`, i))
				a.id = `0`
				var err error
				if got[i], err = c.try(t.Context(), a); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		both.Wait()
		for i := range got {
			if want := fmt.Sprintf(`{"client":%d}`, i); string(get(got[i].result(), "who")) != want || string(get(got[i].final, "id")) != "0" {
				t.Errorf("client %d under the id of another: got %v, want %s", i, got[i], want)
			}
		}
	})
}

// rowsProgress is the text of a report's params.
func rowsProgress(token string, n int, who string) string {
	return fmt.Sprintf(`{"progress":%d.0,"progressToken":%s,"total":1e2,"message":"\u2028 <&>","x-more":{"of":%s},"_meta":{"example.com/x":1.0}}`, n, token, who)
}

const rowsReports = 5

func prepareProgress(s *rowsStub) {
	pair := &meeting{size: 2}
	s.tool("progress", func(c *rowsCall) string {
		who := string(get(c.params, "arguments", "who"))
		if !pair.attend() {
			return notMet
		}
		for n := range rowsReports {
			c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":` + rowsProgress(c.token(), n, who) + `}`)
		}
		return `"result":{"content":[],"token":` + strconv.Quote(c.token()) + `}`
	})
	s.tool("no_progress", func(c *rowsCall) string { return `"result":{"content":[],"token":` + strconv.Quote(c.token()) + `}` })
}

// Two calls of one client under the same token, which clients that take the request's
// id for it do not do, but which two clients on a shared session do all the time: each
// gets its own reports, in order, under its token as it wrote it.
func runProgress(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for _, token := range []string{`0`, `"0"`, `9007199254740993`, `"\u0041\/é"`} {
			asks := make([]ask, 2)
			for i := range asks {
				asks[i] = w.call("progress", fmt.Sprintf(`{"who":%d}`, i))
				asks[i].meta = `"progressToken":` + token
			}
			seen := map[string]bool{}
			for i, got := range atOnce(t, w.c, asks...) {
				seen[str(got.result(), "token")] = true
				if len(got.before) != rowsReports {
					t.Errorf("token %s, call %d: got %d reports, want %d: %s", token, i, len(got.before), rowsReports, got)
					continue
				}
				for n, message := range got.before {
					sameBytes(t, fmt.Sprintf("report %d of call %d, token %s", n, i, token), get(message, "params"), []byte(rowsProgress(token, n, strconv.Itoa(i))))
				}
			}
			if len(seen) != 2 {
				t.Errorf("token %s: two calls at once had the tokens %v at the backend, want two", token, seen)
			}
		}
		if got := w.c.must(t, w.call("no_progress", `{}`)); str(got.result(), "token") != "" {
			t.Errorf("a call without a token had one at the backend: %v", got)
		}
	})
}

var rowsLevels = []string{"debug", "info", "warning", "error"}

// rowsLog is a log message, as it is sent and as it has to arrive.
func rowsLog(level string) string {
	return `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":{"n":9007199254740993,"t":"\u2028 <&>"},"level":"` + level + `","logger":"l","_meta":{"x":1.0}}}`
}

func prepareLogs(s *rowsStub) {
	s.tool("logs", func(c *rowsCall) string {
		for _, level := range rowsLevels {
			c.send(rowsLog(level))
		}
		return `"result":{"content":[]}`
	})
}

// A log message comes on the stream of the call that it belongs to, as it is. The level
// that a client sets reaches the backend in the way of the backend's era; a modern
// client that names none gets no messages, and no lower ones than it names.
func runLogs(t *testing.T, st *stage) {
	const hop = "io.modelcontextprotocol/logLevel"
	st.everyWay(t, func(t *testing.T, w *way) {
		c := w.dial(t)
		expect := func(a ask, levels ...string) {
			t.Helper()
			got := c.must(t, a)
			if len(got.before) != len(levels) {
				t.Errorf("got %d messages, want those of %v: %s", len(got.before), levels, got.before)
				return
			}
			for i, level := range levels {
				sameBytes(t, "message of level "+level, got.before[i], []byte(rowsLog(level)))
			}
		}
		a := w.call("logs", `{}`)
		if w.client {
			expect(a)
			a.meta = `"` + hop + `":"warning"`
			expect(a, "warning", "error")
		} else {
			expect(a, rowsLevels...)
			c.must(t, ask{method: "logging/setLevel", params: `"level":"warning"`})
			expect(a, rowsLevels...) // it is the backend that leaves out what is lower
		}
		calls := w.s.requests("tools/call", "logs")
		last := calls[len(calls)-1]
		told := str(last.body, "params", "_meta", hop)
		if !w.s.modern {
			for _, r := range w.s.requests("logging/setLevel", "") {
				if r.session == last.session {
					told = str(r.body, "params", "level")
				}
			}
		}
		if told != "warning" {
			t.Errorf("level at the backend, for the call's session: got %q, want warning", told)
		}
		if w.client || w.s.modern {
			return
		}
		// Outside of calls, what comes in a client's session is that client's alone.
		other := w.dial(t)
		other.must(t, a)
		mine, theirs := hears(t.Context(), t, c, ""), hears(t.Context(), t, other, "")
		params := string(get([]byte(rowsLog("info")), "params"))
		tell := func(session string) {
			t.Helper()
			eventually(t, "the backend to have a stream to the session", func() bool {
				return w.s.tell("notifications/message", params[1:len(params)-1], func(e rowsEar) bool { return e.session == session }) > 0
			})
		}
		tell(last.session)
		sameBytes(t, "message outside of a call", receive(t, "the message", mine), []byte(rowsLog("info")))
		calls = w.s.requests("tools/call", "logs")
		tell(calls[len(calls)-1].session)
		receive(t, "the other client's message", theirs)
		for who, messages := range map[string]<-chan []byte{"the client": mine, "the other client": theirs} {
			select {
			case message := <-messages:
				t.Errorf("%s got the other's message: %s", who, message)
			default:
			}
		}
	})
}
