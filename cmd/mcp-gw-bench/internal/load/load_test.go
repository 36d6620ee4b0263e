package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// server answers as told by behave, which gets the request's id and message
// and returns the answer's content type and body.
func server(t *testing.T, behave func(id json.Number, msg string) (string, string)) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.Number
			Method string
			Params struct {
				Arguments struct{ Message string }
				Cursor    string
			}
		}
		b, _ := io.ReadAll(r.Body)
		json.Unmarshal(b, &m)
		switch m.Method {
		case "initialize":
			w.Header().Set("Mcp-Session-Id", "s")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25"}}`, m.ID)
		case "tools/list":
			next := `,"nextCursor":"2"`
			if m.Params.Cursor == "2" {
				next = ""
			}
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"echo","inputSchema":{}},{"name":"b","inputSchema":{}}]%s}}`, m.ID, next)
		case "tools/call":
			kind, body := behave(m.ID, m.Params.Arguments.Message)
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, body)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/mcp"
}

func answer(id, text any) string {
	b, _ := json.Marshal(text)
	return fmt.Sprintf(`{"jsonrpc":"2.0", "id": %v, "result":{"content":[{"type":"text","text":%s}]}}`, id, b)
}

func TestCall(t *testing.T) {
	last := ""
	for _, c := range []struct {
		name, want string
		behave     func(id json.Number, msg string) (string, string)
	}{
		{"json", "", func(id json.Number, msg string) (string, string) { return "application/json", answer(id, msg) }},
		{"sse", "", func(id json.Number, msg string) (string, string) {
			return "text/event-stream", ": hi\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\nid: 7\ndata: " + answer(id, msg) + "\n\n"
		}},
		{"escaped", "", func(id json.Number, msg string) (string, string) {
			return "application/json", strings.ReplaceAll(answer(id, msg), "q", `\u0071`)
		}},
		{"chunked", "", func(id json.Number, msg string) (string, string) {
			return "application/json", answer(id, msg) + strings.Repeat(" ", 1<<16)
		}},
		{"stale text", "wrong text", func(id json.Number, msg string) (string, string) {
			defer func() { last = msg }()
			return "application/json", answer(id, last)
		}},
		{"other id", "another request's answer", func(id json.Number, msg string) (string, string) { return "application/json", answer(7, msg) }},
		{"other id in stream", "no JSON-RPC answer", func(id json.Number, msg string) (string, string) {
			return "text/event-stream", "data: " + answer(7, msg) + "\n\n"
		}},
		{"error", "JSON-RPC error", func(id json.Number, msg string) (string, string) {
			return "application/json", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"no"}}`, id)
		}},
		{"tool error", "tool error", func(id json.Number, msg string) (string, string) {
			return "application/json", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"isError":true,"content":[]}}`, id)
		}},
	} {
		err := Probe(t.Context(), Config{URL: server(t, c.behave), Tool: "b1__echo", Payload: 3000})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestList(t *testing.T) {
	url := server(t, nil)
	for _, c := range []struct {
		tool string
		n    int
		want string
	}{{"echo", 4, ""}, {"echo", 5, "wrong number"}, {"nope", 4, "missing"}} {
		err := Probe(t.Context(), Config{URL: url, Mode: ModeList, Tool: c.tool, WantTools: c.n})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v", c, err)
		}
	}
}

func TestRun(t *testing.T) {
	n := 0
	url := server(t, func(id json.Number, msg string) (string, string) {
		if n++; n%10 == 0 {
			return "application/json", answer(id, "lost")
		}
		return "application/json", answer(id, msg)
	})
	r, err := Run(t.Context(), Config{URL: url, Tool: "echo", Clients: 1, Duration: 200 * time.Millisecond})
	if err != nil || r.OK < 9 || r.Errors < 1 || r.Kinds["wrong text"] != r.Errors || r.P50 <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// On a machine that is busy with something else, a short measurement must not
// end before the first answer.
func TestRunWaitsForOneAnswer(t *testing.T) {
	url := server(t, func(id json.Number, msg string) (string, string) {
		time.Sleep(100 * time.Millisecond)
		return "application/json", answer(id, msg)
	})
	r, err := Run(t.Context(), Config{URL: url, Tool: "echo", Clients: 2, Duration: time.Millisecond})
	if err != nil || r.OK < 1 || r.Errors > 0 || r.Seconds < .05 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The end of the context breaks off requests in flight.
func TestRunEndsWithContext(t *testing.T) {
	url := server(t, func(id json.Number, msg string) (string, string) {
		time.Sleep(time.Second)
		return "application/json", answer(id, msg)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, Config{URL: url, Tool: "echo", Clients: 2, Duration: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
}
