package e2e

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const rowsStreamed = `{"content":[{"type":"text","text":"a\nb \u2028"}],"n":1.0}`

// rowsStreams are event streams as servers write them: REPORT is a message, and then
// ANSWER the response.
var rowsStreams = map[string]string{
	"sse_plain":   "data: REPORT\n\ndata: ANSWER\n\n",
	"sse_crlf":    "event: message\r\ndata: REPORT\r\n\r\nevent: message\r\ndata:ANSWER\r\n\r\n",
	"sse_cr":      "data: REPORT\r\rdata: ANSWER\r\r",
	"sse_primed":  "id: backend-event-0\nretry: 12345\ndata: \n\nid: backend-event-1\ndata: REPORT\n\nid: backend-event-2\ndata: ANSWER\n\n",
	"sse_comment": ": hello\n\n:\ndata: REPORT\n: between\n\n: again\n\ndata: ANSWER\n\n",
	"sse_other":   "\ufeffevent: other\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/none\"}\n\nunknown: x\ndata: REPORT\n\nevent: message\ndata: ANSWER\n\n",
}

// withLines breaks a message into several lines of data, where JSON allows it.
func withLines(message string) string { return strings.ReplaceAll(message, `,"`, ",\ndata: \"") }

func prepareSSE(s *rowsStub) {
	stream := func(name, text string, answer func(c *rowsCall) string, change func(string) string) {
		s.tool(name, func(c *rowsCall) string {
			openStream(c.w)
			report := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.0,"progressToken":` + c.token() + `}}`
			response := `{"jsonrpc":"2.0","id":` + string(c.id) + `,"result":` + answer(c) + `}`
			_, _ = io.WriteString(c.w, strings.NewReplacer("REPORT", change(report), "ANSWER", change(response)).Replace(text))
			return ""
		})
	}
	same := func(text string) string { return text }
	short := func(*rowsCall) string { return rowsStreamed }
	for name, text := range rowsStreams {
		stream(name, text, short, same)
	}
	stream("sse_lines", rowsStreams["sse_plain"], short, withLines)
	stream("sse_huge", rowsStreams["sse_plain"], func(*rowsCall) string { return rowsHuge }, same)
}

var rowsHuge = `{"content":[{"type":"text","text":"` + strings.Repeat(`0123456789\u2028é`, 1<<14) + `"}]}`

// However a backend writes its stream, the client gets the messages, and no event id of
// the backend's: it would ask the gateway for events that another one counted.
func runSSE(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		check := func(name, want string) {
			a := w.call(name, `{}`)
			a.meta = `"progressToken":"p"`
			resp, err := w.c.post(t.Context(), w.c.body(a, `"sse"`), &a)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
				t.Fatalf("%s: got HTTP %d %.300s (%v), want a stream", name, resp.StatusCode, text, err)
			}
			for _, theirs := range []string{"backend-event", "retry: 12345"} {
				if bytes.Contains(text, []byte(theirs)) {
					t.Errorf("%s: the client got the backend's %s: %.600q", name, theirs, text)
				}
			}
			events := newSSEReader(bytes.NewReader(text))
			_, report, err := events.next()
			if err != nil {
				t.Fatalf("%s: %v in %.300q", name, err, text)
			}
			sameBytes(t, name+": params of the report", unlined(get(report, "params")), []byte(`{"progress":1.0,"progressToken":"p"}`))
			_, response, err := events.next()
			if err != nil {
				t.Fatalf("%s: %v in %.300q", name, err, text)
			}
			w.same(t, a, answer{status: resp.StatusCode, final: unlined(response)}, `"result":`+want)
			if _, more, err := events.next(); err != io.EOF {
				t.Errorf("%s: got %s (%v) behind the response", name, more, err)
			}
		}
		for name := range rowsStreams {
			check(name, rowsStreamed)
		}
		check("sse_lines", rowsStreamed)
		check("sse_huge", rowsHuge)
	})
}

// unlined takes the line ends out again that withLines put in: they are part of the
// message.
func unlined(message []byte) []byte { return bytes.ReplaceAll(message, []byte(",\n\""), []byte(`,"`)) }

// flusher is what packs a body.
type flusher interface {
	io.WriteCloser
	Flush() error
}

var rowsPackers = map[string]struct {
	coding string
	pack   func(io.Writer) flusher
}{
	"gzip":     {"gzip", func(w io.Writer) flusher { return gzip.NewWriter(w) }},
	"x_gzip":   {"X-GZIP", func(w io.Writer) flusher { return gzip.NewWriter(w) }},
	"zlib":     {"deflate", func(w io.Writer) flusher { return zlib.NewWriter(w) }},
	"deflate":  {"deflate", func(w io.Writer) flusher { z, _ := flate.NewWriter(w, flate.BestSpeed); return z }},
	"identity": {"identity", func(w io.Writer) flusher { return plainBody{w} }},
}

type plainBody struct{ io.Writer }

func (plainBody) Close() error { return nil }
func (plainBody) Flush() error { return nil }

var rowsPacked = `{"content":[{"type":"text","text":"` + strings.Repeat(`pack me \u2028 <&>`, 1000) + `"}],"n":9007199254740993}`

func prepareCompressed(s *rowsStub) {
	for name, p := range rowsPackers {
		for _, streamed := range []bool{false, true} {
			s.tool(fmt.Sprintf("packed_%s_%v", name, streamed), func(c *rowsCall) string {
				h := c.w.Header()
				h.Set("Content-Encoding", p.coding)
				h.Set("Content-Type", map[bool]string{false: "application/json", true: "text/event-stream"}[streamed])
				z := p.pack(c.w)
				defer z.Close()
				response := `{"jsonrpc":"2.0","id":` + string(c.id) + `,"result":` + rowsPacked + `}`
				if !streamed {
					_, _ = io.WriteString(z, response)
					return ""
				}
				for _, message := range []string{`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + c.token() + `,"progress":1}}`, response} {
					fmt.Fprintf(z, "data: %s\n\n", message)
					_ = z.Flush()
					_ = http.NewResponseController(c.w).Flush()
				}
				return ""
			})
		}
	}
}

// A backend, or a proxy in front of it, that compresses though nobody asked for it is
// understood, and the client gets what it can read.
func runCompressed(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for name := range rowsPackers {
			for _, streamed := range []bool{false, true} {
				a := w.call(fmt.Sprintf("packed_%s_%v", name, streamed), `{}`)
				a.meta = `"progressToken":1`
				got := w.check(t, a, `"result":`+rowsPacked)
				if coding := got.header.Get("Content-Encoding"); coding != "" {
					t.Errorf("%s: the client got Content-Encoding %s", a.name, coding)
				}
				if streamed != (len(got.before) == 1) {
					t.Errorf("%s: got %d reports", a.name, len(got.before))
				}
			}
		}
	})
}
