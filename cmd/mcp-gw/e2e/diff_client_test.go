package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// step is one request of an operation, in the names that the server itself uses.
type step struct {
	method string
	params string // the text of an object
	// level, when set, is the least severe log level that the client wants, and
	// logs how many messages come then. That an elicitation is complete, or a
	// resource changed, is one, too.
	level string
	logs  int
	// reports says that the client wants to hear of progress.
	reports bool
	// headers are those that the 2026 era derives from the tool's schema.
	headers map[string]string
}

// outcome is what a client sees of one step.
type outcome struct {
	result, failure []byte
	status          int      // of HTTP; raw clients only
	asked           [][]byte // requests of the server, as {"method":…,"params":…}
	logs, reports   [][]byte // params of the notifications, in order
}

// peerClient is a client that can do all that a server may ask of it, and
// answers the same at each time. It is used by one goroutine.
type peerClient interface {
	// do makes one request and fulfils what the server asks before it answers.
	do(t *testing.T, s step) outcome
	// told returns the notifications since the last time that belong to no
	// request, as {"method":…,"params":…}, oldest first.
	told(t *testing.T) [][]byte
	// hello is what the server said of itself.
	hello() serverHello
}

// serverHello are the texts of what a server says of itself, without its era.
type serverHello struct{ server, capabilities, instructions []byte }

// clientKind is a client that people use, or one made by hand.
type clientKind struct {
	name   string
	modern bool // as the gateway is spoken to
	raw    bool // bytes are compared, and not what an SDK makes of them
	dial   func(t *testing.T, url, transport string) peerClient
	// other speaks the other era with the same hands: the one to ask a server
	// directly that has all its features only there.
	other string
}

// clientKinds returns each client there is. Raw ones fall back to the 2025 era
// by asking which the server has, as SDKs do by themselves.
func clientKinds(t *testing.T) []clientKind {
	clients := startSDKClients(t)
	typescript := func(sdk string) func(*testing.T, string, string) peerClient {
		return func(t *testing.T, url, transport string) peerClient {
			return clients.dialCapable(t, sdk, url, transport)
		}
	}
	golang := func(version string) func(*testing.T, string, string) peerClient {
		return func(t *testing.T, url, transport string) peerClient {
			return dialCapableGo(t, version, url, transport)
		}
	}
	byHand := func(modern bool) func(*testing.T, string, string) peerClient {
		return func(t *testing.T, url, transport string) peerClient { return dialByHand(t, url, transport, modern) }
	}
	return []clientKind{
		{"TypeScript 1.x", false, false, typescript("v1"), "TypeScript 2.x, newest era"},
		{"TypeScript 2.x", false, false, typescript("v2"), "TypeScript 2.x, newest era"},
		{"TypeScript 2.x, newest era", true, false, typescript("v2-auto"), ""},
		{"Go SDK, 2025", false, false, golang(legacyVersion), "Go SDK, 2026"},
		{"Go SDK, 2026", true, false, golang(modernVersion), ""},
		{"by hand, 2025", false, true, byHand(false), "by hand, 2026"},
		{"by hand, 2026", true, true, byHand(true), "by hand, 2025"},
	}
}

// direct returns the connection to the server itself that shows what k must see
// through the gateway: k's own where k gets the whole server in its era or
// falls back to the server's by itself, or else that of its other.
func (k clientKind) direct(t *testing.T, kinds []clientKind, s *diffServer) peerClient {
	t.Helper()
	if s.both || k.modern == s.modern || k.modern && !k.raw {
		return k.dial(t, s.url, s.transport)
	}
	i := slices.IndexFunc(kinds, func(o clientKind) bool { return o.name == k.other })
	return kinds[i].dial(t, s.url, s.transport)
}

// able are the operations that k can do.
func (k clientKind) able(ops []operation) []operation {
	return slices.DeleteFunc(slices.Clone(ops), func(op operation) bool {
		return op.legacy && k.modern || op.except != "" && strings.HasPrefix(k.name, op.except)
	})
}

// recorder keeps what a client hears beside the answers to its requests.
type recorder struct {
	mu     sync.Mutex
	asked  [][]byte
	logs   [][]byte
	report [][]byte
	others [][]byte
}

// hear files a request or notification of the server.
func (r *recorder) hear(request bool, method string, params []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	message := []byte(fmt.Sprintf(`{"method":%q,"params":%s}`, method, orEmpty(params)))
	switch {
	case method == "ping": // SDKs answer it unseen
	case request:
		r.asked = append(r.asked, message)
	case str(params, "logger") == "everything-server":
		// server-everything tells so that it asked for the roots by itself.
	case method == "notifications/message", method == "notifications/elicitation/complete":
		r.logs = append(r.logs, params)
	case method == resourceUpdated:
		r.logs = append(r.logs, params)
		r.others = append(r.others, message)
	case method == "notifications/progress":
		r.report = append(r.report, without(params, "progressToken"))
	default:
		r.others = append(r.others, message)
	}
}

// orEmpty is the text of params; a request without is one with an empty object.
func orEmpty(params []byte) []byte {
	if len(params) == 0 {
		return []byte("{}")
	}
	return params
}

// begin forgets what was heard, except notifications that belong to no request.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.logs, r.report = nil, nil, nil
}

// end adds to o what was heard since begin. It waits for the log messages: they
// may come on another stream than the answer.
func (r *recorder) end(t *testing.T, s step, o outcome) outcome {
	t.Helper()
	eventually(t, fmt.Sprintf("%d log messages of %s %s", s.logs, s.method, s.params), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.logs) >= s.logs
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	o.asked, o.reports = slices.Clone(r.asked), slices.Clone(r.report)
	if s.level != "" {
		o.logs = slices.Clone(r.logs)
	}
	return o
}

func (r *recorder) told(*testing.T) [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	others := r.others
	r.others = nil
	return others
}

// atPrefix is the step in the names of an endpoint that puts prefix before those
// of tools and prompts.
func (s step) atPrefix(prefix string) step {
	rename := func(object []byte) []byte {
		return replace(object, "name", fmt.Sprintf("%q", prefix+str(object, "name")))
	}
	switch s.method {
	case "tools/call", "prompts/get":
		s.params = string(rename([]byte(s.params)))
	case "completion/complete":
		if ref := get([]byte(s.params), "ref"); str(ref, "type") == "ref/prompt" {
			s.params = string(replace([]byte(s.params), "ref", string(rename(ref))))
		}
	}
	return s
}

// withMeta adds members to the _meta of the step's params.
func (s step) withMeta(meta string) string {
	object := []byte(s.params)
	if old := get(object, "_meta"); old != nil {
		return string(replace(object, "_meta", "{"+join(strings.TrimSuffix(strings.TrimPrefix(string(old), "{"), "}"), meta)+"}"))
	}
	return "{" + join(strings.TrimSuffix(strings.TrimPrefix(s.params, "{"), "}"), `"_meta":{`+meta+`}`) + "}"
}
