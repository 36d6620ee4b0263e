package journal

import (
	"encoding/json"
	"strings"
	"time"
)

// Call is one request of a client as people see it. Its JSON is the Call of the API.
type Call struct {
	ID              uint64     `json:"id"`
	At              string     `json:"at"`
	State           string     `json:"state"` // running, ok, error
	Method          string     `json:"method"`
	Name            string     `json:"name,omitempty"`
	Original        string     `json:"original,omitempty"`
	Backend         string     `json:"backend,omitempty"`
	Client          CallClient `json:"client"`
	Era             string     `json:"era"`
	ProtocolVersion string     `json:"protocolVersion,omitempty"`
	DurationMs      *float64   `json:"durationMs,omitempty"`
	RequestBytes    int        `json:"requestBytes"`
	ResponseBytes   *int       `json:"responseBytes,omitempty"`
	Tokens          *int       `json:"tokens,omitempty"`
	ErrorKind       ErrorKind  `json:"errorKind,omitempty"`
	Error           string     `json:"error,omitempty"`
	Protocol        bool       `json:"protocol,omitempty"`
}

// CallClient is who called.
type CallClient struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// CallDetail is a Call with all that is kept of it.
type CallDetail struct {
	Call
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	// Truncated are the lengths of what was too large to be kept, or cannot be read.
	Truncated *Truncated `json:"truncated,omitempty"`
	// Dropped: arguments and result were given up to make room for newer ones.
	Dropped   bool       `json:"dropped,omitempty"`
	Timing    CallTiming `json:"timing"`
	Usual     *Usual     `json:"usual,omitempty"`
	Raw       *RawCall   `json:"raw,omitempty"`
	SessionID string     `json:"session,omitempty"`
	TraceID   string     `json:"traceId,omitempty"`
	Replica   string     `json:"replica,omitempty"`
}

// Truncated are lengths in bytes.
type Truncated struct {
	Arguments int `json:"arguments,omitempty"`
	Result    int `json:"result,omitempty"`
}

// CallTiming is where the time went, in milliseconds from the request's start.
type CallTiming struct {
	WaitMs      *float64 `json:"waitMs,omitempty"`
	FirstByteMs *float64 `json:"firstByteMs,omitempty"`
	TotalMs     float64  `json:"totalMs"`
}

// Usual is all calls of the same since the start.
type Usual struct {
	P50Ms float64 `json:"p50Ms"`
	P95Ms float64 `json:"p95Ms"`
	Calls uint64  `json:"calls"`
}

// RawCall is the messages as text.
type RawCall struct {
	Request  string `json:"request,omitempty"`
	Response string `json:"response,omitempty"`
}

// bytesPerToken is the rule of thumb for JSON and English.
const bytesPerToken = 4

// Traffic is how much of calls is kept.
func (j *Journal) Traffic() Mode { return j.calls.mode }

// CallsBefore answers at most limit calls that came before the one with the id before,
// newest first, with the oldest id that is kept and how many are. With protocol, lists
// and handshakes are among them.
func (j *Journal) CallsBefore(before uint64, limit int, protocol bool) (all []Call, oldest uint64, kept int) {
	picked, oldest, kept := j.calls.pick(before, limit, protocol)
	return j.show(picked), oldest, kept
}

func (j *Journal) show(picked []call) []Call {
	all := make([]Call, len(picked))
	for i := range picked {
		all[i] = picked[i].show(j.calls.mode)
	}
	return all
}

// show makes the words of a call; secrets are masked here.
func (x *call) show(mode Mode) Call {
	out := Call{ID: x.id, At: stamp(x.start), State: "ok", Method: clipTo(strings.ToValidUTF8(x.method, "\uFFFD"), maxFact), Name: mode.text(x.name), Backend: x.backend,
		Era: "legacy", RequestBytes: x.requestBytes, ErrorKind: x.kind, Protocol: x.protocol}
	if x.original != x.name {
		out.Original = mode.text(x.original)
	}
	if c := x.client; c != nil {
		out.Client = CallClient{c.id, c.facts.name, c.facts.version}
		out.Era, out.ProtocolVersion = c.era(), c.facts.protocol
	}
	if x.running {
		out.State = "running"
		return out
	}
	out.DurationMs = millis(x.duration)
	if n := x.responseBytes; n >= 0 {
		tokens := (n + bytesPerToken - 1) / bytesPerToken
		out.ResponseBytes, out.Tokens = &n, &tokens
	}
	if x.kind != "" {
		out.State, out.Error = "error", clipTo(strings.ToValidUTF8(mode.text(x.err), "\uFFFD"), maxErrorText)
	}
	return out
}

func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// CallByID answers one call with its arguments and its result, and false when it is not
// kept any more.
func (j *Journal) CallByID(id uint64) (CallDetail, bool) {
	c := &j.calls
	c.mu.Lock()
	found := c.findLocked(id)
	if found == nil || id == 0 {
		c.mu.Unlock()
		return CallDetail{}, false
	}
	x := *found
	request, there := c.store(&x).get(x.request)
	response, also := c.store(&x).get(x.response)
	c.mu.Unlock()

	d := CallDetail{Call: x.show(c.mode), Dropped: !there || !also, Replica: x.replica, TraceID: traceID(x.trace)}
	if x.client != nil && x.client.session {
		d.SessionID = x.client.id
	}
	d.Timing.TotalMs = *millis(x.duration)
	if x.running {
		d.Timing.TotalMs = *millis(time.Since(x.start))
	}
	if x.sent {
		d.Timing.WaitMs = millis(x.wait)
	}
	if x.heard {
		d.Timing.FirstByteMs = millis(x.first)
	}
	if x.meter != nil {
		if s := x.meter.Stats(); s.Calls >= minForPercents {
			d.Usual = &Usual{s.P50Ms, s.P95Ms, s.Calls}
		}
	}
	if !x.kept {
		return d, true
	}
	t := Truncated{}
	// Half a JSON text is none, and what cannot be read cannot be searched for secrets.
	if x.request.n == 0 || there && !json.Valid(request) {
		t.Arguments = x.requestBytes
	}
	if x.responseBytes > 0 && (x.response.n == 0 || also && !json.Valid(response)) {
		t.Result = x.responseBytes
	}
	if t != (Truncated{}) {
		d.Truncated = &t
	}
	secrets := x.meter.secrets()
	modes := map[bool]Mode{true: Full, false: c.mode} // what is masked is shown as it is
	d.reveal(request, modes[x.request.masked].message(request, secrets, "arguments"), modes[x.response.masked].message(response, secrets, "result"))
	return d, true
}

// reveal fills in what the messages say. request and response are as they may be shown,
// or nil.
func (d *CallDetail) reveal(asked, request, response []byte) {
	var in struct {
		Params map[string]json.RawMessage `json:"params"`
	}
	var out struct {
		Result, Error json.RawMessage
	}
	raw := RawCall{}
	if request != nil && json.Unmarshal(asked, &in) == nil {
		raw.Request = string(request)
		if d.TraceID == "" {
			d.TraceID = metaTraceID(in.Params["_meta"])
		}
		in.Params = nil
		_ = json.Unmarshal(request, &in)
		d.Arguments = argumentsOf(in.Params)
	}
	if response != nil && json.Unmarshal(response, &out) == nil {
		raw.Response = string(response)
		if d.Result = out.Result; d.Result == nil {
			d.Result = out.Error
		}
	}
	if raw != (RawCall{}) {
		d.Raw = &raw
	}
}

// message is a JSON-RPC message as it may be shown, where secrets are further keys below
// a member; nil when it cannot be read.
func (m Mode) message(raw []byte, secrets secretNames, below string) []byte {
	if len(raw) == 0 || !json.Valid(raw) {
		return nil
	}
	if m != Full {
		raw = redaction{names: secrets, below: below, abridge: true}.of(raw)
	}
	return []byte(strings.ToValidUTF8(string(raw), "\uFFFD"))
}

// argumentsOf answers what a request asked: its arguments, or all its params but what
// is the protocol's own.
func argumentsOf(params map[string]json.RawMessage) json.RawMessage {
	if a, there := params["arguments"]; there {
		return a
	}
	delete(params, "_meta")
	if len(params) == 0 {
		return nil
	}
	text, err := json.Marshal(params)
	if err != nil {
		return nil
	}
	return text
}

// traceID takes the trace's id out of a W3C trace context.
func traceID(context string) string {
	parts := strings.Split(context, "-")
	if len(parts) < 4 || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return ""
	}
	return parts[1]
}

func metaTraceID(meta json.RawMessage) string {
	var m struct {
		Traceparent string `json:"traceparent"`
	}
	_ = json.Unmarshal(meta, &m)
	return traceID(m.Traceparent)
}
