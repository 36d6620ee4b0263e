package upstream

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/gateway/wire"
)

// packer is a writer that compresses.
type packer interface {
	io.WriteCloser
	Flush() error
}

// codings are all that we read, by the Content-Encoding that names them.
var codings = []struct {
	name, header string
	pack         func(io.Writer) packer
}{
	{"gzip", "gzip", func(w io.Writer) packer { return gzip.NewWriter(w) }},
	{"x-gzip", "X-Gzip", func(w io.Writer) packer { return gzip.NewWriter(w) }},
	{"gzip and identity", "identity, gzip", func(w io.Writer) packer { return gzip.NewWriter(w) }},
	{"deflate in zlib", "deflate", func(w io.Writer) packer { return zlib.NewWriter(w) }},
	{"bare deflate", "deflate", bareDeflate},
}

func bareDeflate(w io.Writer) packer {
	p, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		panic(err) // of a level that there is
	}
	return p
}

func packed(pack func(io.Writer) packer, text string) []byte {
	var b bytes.Buffer
	p := pack(&b)
	io.WriteString(p, text)
	p.Close()
	return b.Bytes()
}

// compressed answers what next does, compressed, flush by flush.
type compressed struct {
	http.ResponseWriter
	packer
}

func (c compressed) Write(p []byte) (int, error) { return c.packer.Write(p) }

func (c compressed) FlushError() error {
	if err := c.packer.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(c.ResponseWriter).Flush()
}

func (c compressed) Flush() { _ = c.FlushError() }

func compress(header string, pack func(io.Writer) packer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", header)
		c := compressed{w, pack(w)}
		next.ServeHTTP(c, r)
		c.packer.Close()
	})
}

// A server behind a proxy that compresses everything, errors included, is a server
// like any other, in both eras.
func TestCompressedServers(t *testing.T) {
	for _, c := range codings {
		for _, modern := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, modern %v", c.name, modern), func(t *testing.T) {
				b := newBackend(t)
				b.modern = modern
				u := start(t, at(serve(t, compress(c.header, c.pack, b)).URL), quick())
				if s := awaitReady(t, u); s.Peer.Modern != modern {
					t.Errorf("speaks %+v", s.Peer)
				}
				mustCall(t, u, "", "echo", "done")
				if asked := b.asked("tools/call"); len(asked) != 1 || asked[0].Header.Get("Accept-Encoding") != "identity" {
					t.Errorf("%d calls, asked for encoding %q", len(asked), asked[0].Header.Get("Accept-Encoding"))
				}
			})
		}
	}
}

// An event that its sender flushed is passed on at once, and not with the next one.
func TestCompressedStreams(t *testing.T) {
	const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":%d}}`
	for _, c := range codings {
		t.Run(c.name, func(t *testing.T) {
			seen := make(chan string, 10)
			done := make(chan struct{})
			s := serve(t, compress(c.header, c.pack, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				stream(w)
				for i := range 3 {
					want := fmt.Sprintf(progress, i)
					send(w, "%s", want)
					select {
					case got := <-seen:
						if got != want {
							t.Errorf("got %s, want %s", got, want)
						}
					case <-time.After(patience):
						t.Error("an event waits for the next one")
						return
					}
				}
				send(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
				<-done // the stream stays open, and nobody waits for its end
			})))
			defer close(done)
			e := newTestEndpoint(t, s.URL)
			body := getBuffer()
			defer body.release()
			_, err := e.post(t.Context(), http.Header{}, body, 1, func(m *wire.Message) error {
				if m.Kind == wire.KindNotification {
					seen <- string(m.Raw)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	const answer = `{"jsonrpc":"2.0","id":1,"result":{"a":"b"}}`
	gz := func(text string) []byte { return packed(codings[0].pack, text) }
	whole := gz(answer)
	spoilt := bytes.Clone(whole)
	spoilt[len(spoilt)-8] ^= 1 // the checksum
	for _, tt := range []struct {
		name, header string
		status       int
		body         []byte
		answer       string
		err          string // part of it
	}{
		{"gzip", "gzip", 200, whole, answer, ""},
		{"two members of gzip", "gzip", 200, append(gz(answer[:9]), gz(answer[9:])...), answer, ""},
		{"a header without a body", "gzip", 202, nil, "", ""},
		{"unknown, without a body", "br", 202, nil, "", ""},
		{"identity", "identity", 200, []byte(answer), answer, ""},
		{"an error of the protocol", "gzip", 404, gz(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`), `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`, ""},
		{"an error in words", "gzip", 500, gz("out of order"), "", "answered HTTP 500: out of order"},
		{"brotli", "br", 200, []byte("\x0b\x02\x80"), "", `sent a body with Content-Encoding "br", though asked for identity; gzip and deflate can be read: turn compression off in the server, or in the proxy before it`},
		{"zstd", "zstd", 200, []byte("\x28\xb5\x2f\xfd"), "", `Content-Encoding "zstd"`},
		{"gzip twice", "gzip, gzip", 200, gz(string(whole)), "", `Content-Encoding "gzip, gzip"`},
		{"a long one", strings.Repeat("x", 500), 200, []byte("x"), "", `"` + strings.Repeat("x", 40) + `"`},
		{"an error in brotli", "br", 500, []byte("\x0b\x02\x80"), "", `answered HTTP 500: sent a body with Content-Encoding "br"`},
		{"no gzip at all", "gzip", 200, []byte(answer), "", "not the gzip that its Content-Encoding says"},
		{"no deflate at all", "deflate", 200, []byte(answer), "", "not the deflate that its Content-Encoding says"},
		{"one byte of deflate", "deflate", 200, []byte("x"), "", "unexpected EOF"},
		{"spoilt", "gzip", 200, spoilt, "", "not the gzip that its Content-Encoding says"},
		{"cut off", "gzip", 200, whole[:len(whole)-9], "", "unexpected EOF"},
		{"cut off in the header", "gzip", 200, whole[:5], "", "unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", tt.header)
				w.WriteHeader(tt.status)
				w.Write(tt.body)
			}))
			got, err := postTo(t, newTestEndpoint(t, s.URL), "{}")
			if got != tt.answer || (err == nil) != (tt.err == "") {
				t.Fatalf("answered %q, %v; want %q, %q", got, err, tt.answer, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %q, want %q in it", err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "Content-Encoding") && len(err.Error()) > 200 && tt.status == 200 {
				t.Errorf("the sentence is cut off: %s", err)
			}
		})
	}
}

// A stream that cannot be read is refused before anybody waits for its events.
func TestCompressedStreamThatCannotBeRead(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		stream(w)
		<-r.Context().Done()
	}))
	e := newTestEndpoint(t, s.URL)
	res, err := e.get(t.Context(), http.Header{})
	if err == nil {
		res.Body.Close()
	}
	var unread *encodingError
	if !errors.As(err, &unread) {
		t.Errorf("answered %v", err)
	}
}

// What unpacks to more than is allowed costs neither memory nor time.
func TestCompressedBombs(t *testing.T) {
	const size = 256 << 20
	// One piece, packed once: packing all of it takes longer than all other tests do.
	// Each piece ends at a whole byte and refers to nothing before it.
	piece := func(text string, last bool) []byte {
		var b bytes.Buffer
		p := bareDeflate(&b)
		io.WriteString(p, text)
		p.Flush()
		if last {
			p.Close()
		}
		return b.Bytes()
	}
	zeros := piece(strings.Repeat("0", 1<<20), false)
	pack := func(begin string, pieces int, end string) []byte {
		return slices.Concat(piece(begin, false), bytes.Repeat(zeros, pieces), piece(end, true))
	}
	if n, err := io.Copy(io.Discard, flate.NewReader(bytes.NewReader(pack("a", 3, "b")))); n != 3<<20+2 || err != nil {
		t.Fatalf("three pieces unpack to %d bytes, %v; want %d", n, err, 3<<20+2)
	}
	for _, tt := range []struct {
		name, contentType, begin, end string
		status                        int
	}{
		{"an answer", "application/json", `{"jsonrpc":"2.0","id":1,"result":{"a":"`, `"}}`, 200},
		{"an event", "text/event-stream", `data: {"jsonrpc":"2.0","id":1,"result":{"a":"`, "\"}}\n\n", 200},
		{"a comment in a stream", "text/event-stream", ":", "\n\n", 200},
		{"an error", "text/plain", "", "", 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bomb := pack(tt.begin, size>>20, tt.end)
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.Header().Set("Content-Encoding", "deflate")
				w.WriteHeader(tt.status)
				w.Write(bomb)
			}))
			e := newTestEndpoint(t, s.URL)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := postTo(t, e, "{}")
			runtime.ReadMemStats(&after)
			if !errors.Is(err, errTooLarge) {
				t.Errorf("answered %v", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 { // MaxMessage is 1 MiB here
				t.Errorf("took %d MiB for a message of at most 1", used>>20)
			}
		})
	}
}

// A body that stays open may be closed while it is being read.
func TestCompressedBodyClosedWhileRead(t *testing.T) {
	s := serve(t, compress("gzip", codings[0].pack, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream(w)
		send(w, "{}")
		<-r.Context().Done()
	})))
	res, err := newTestEndpoint(t, s.URL).get(t.Context(), http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	events := wire.NewEventReader(res.Body, 1<<20)
	if ev, err := events.Next(); err != nil || string(ev.Data) != "{}" {
		t.Fatalf("%+v, %v", ev, err)
	}
	ended := make(chan error)
	go func() { _, err := events.Next(); ended <- err }()
	res.Body.Close()
	if err := <-ended; err == nil {
		t.Error("the reader did not end")
	}
}

// canned answers the same to all, without a network.
type canned struct{ res http.Response }

func (c *canned) RoundTrip(*http.Request) (*http.Response, error) { return &c.res, nil }

// What is not compressed, and refuses nothing, costs no memory.
func TestPlainAnswersCostNothing(t *testing.T) {
	to := &url.URL{Scheme: "canned", Host: "demo:8080"}
	c := newCarrier(&http.Transport{}, to)
	c.RegisterProtocol("canned", &canned{http.Response{StatusCode: 200, Header: http.Header{"Content-Type": typeJSON}, Body: http.NoBody}})
	r := &http.Request{Method: http.MethodPost, URL: to, Host: to.Host, Header: http.Header{}}
	for name, host := range map[string]int32{"by name": 0, "as localhost": 403, "refused": refusedBoth} {
		c.host.Store(host)
		bare := testing.AllocsPerRun(100, func() { _, _ = c.Transport.RoundTrip(r) })
		if n := testing.AllocsPerRun(100, func() { _, _ = c.RoundTrip(r) }); n > bare {
			t.Errorf("%s: %v allocations, %v without the carrier", name, n, bare)
		}
	}
}

func BenchmarkCarrier(b *testing.B) {
	to := &url.URL{Scheme: "canned", Host: "demo:8080"}
	c := newCarrier(&http.Transport{}, to)
	c.RegisterProtocol("canned", &canned{http.Response{StatusCode: 200, Header: http.Header{"Content-Type": typeJSON}, Body: http.NoBody}})
	r := &http.Request{Method: http.MethodPost, URL: to, Host: to.Host, Header: http.Header{}}
	for name, carry := range map[string]http.RoundTripper{"bare": c.Transport, "carrier": c} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := carry.RoundTrip(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever comes, unpacking ends, and with an error or the end.
func FuzzDecode(f *testing.F) {
	for _, c := range codings {
		f.Add(c.header, packed(c.pack, "some text"))
	}
	f.Add("br", []byte("x"))
	f.Add(",,", []byte(nil))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Encoding": {header}}, Body: io.NopCloser(bytes.NewReader(body))}
		decode(res)
		in := getBuffer()
		defer in.release()
		if err := in.readAll(res.Body, 0, 1<<20); err == nil && len(in.b) > 1<<20 {
			t.Fatalf("%d bytes came out", len(in.b))
		}
	})
}
