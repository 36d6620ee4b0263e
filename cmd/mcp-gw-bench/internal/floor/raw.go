package floor

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

// Raw is the least that a namespacing gateway can do: it reads the request,
// takes the prefix off the tool's name in place, sends it on over net/http's
// Transport, and copies the answer. It has no catalogue, policy, sessions of
// its own, or checks; it shows what remains once those are free.
//
// It is a yardstick, not a model: it gives a body's buffer back to the pool
// although a transport may still be reading it when a backend answers early,
// and it leaves Mcp-Name as it came.
func Raw(to *url.URL) http.Handler { return &raw{to: to, transport: transport()} }

type raw struct {
	to        *url.URL
	transport *http.Transport
}

// Two pools, so that the big one holds no pointers for the collector to look at.
var (
	bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	chunks = sync.Pool{New: func() any { return new([16 << 10]byte) }}
)

// Headers that go on, each way.
var (
	forth = []string{"Content-Type", "Accept", "Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method"}
	back  = []string{"Content-Type", "Mcp-Session-Id"}
)

func (g *raw) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(in)
	in.Reset()
	if _, err := in.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body := in.Bytes()
	if name := rawjson.Get(body, "params", "name"); len(name) > 2 {
		if i := bytes.Index(name, []byte("__")); i > 0 {
			// name lies within body: move what is before it over the prefix.
			at := cap(body) - cap(name) + 1
			cut := i + 1
			copy(body[cut:], body[:at])
			body = body[cut:]
		}
	}
	h := make(http.Header, len(forth)+1)
	for _, k := range forth {
		if v := r.Header[k]; v != nil {
			h[k] = v
		}
	}
	h["User-Agent"] = nil
	u := *g.to
	u.Path, u.RawQuery = r.URL.Path, r.URL.RawQuery
	req := (&http.Request{Method: r.Method, URL: &u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}).WithContext(r.Context())
	if len(body) == 0 {
		req.Body = http.NoBody
	}
	res, err := g.transport.RoundTrip(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	for _, k := range back {
		if v := res.Header[k]; v != nil {
			w.Header()[k] = v
		}
	}
	if res.ContentLength >= 0 {
		w.Header()["Content-Length"] = []string{strconv.FormatInt(res.ContentLength, 10)}
	}
	w.WriteHeader(res.StatusCode)
	chunk := chunks.Get().(*[16 << 10]byte)
	defer chunks.Put(chunk)
	for {
		n, err := res.Body.Read(chunk[:])
		if n > 0 {
			if _, err := w.Write(chunk[:n]); err != nil {
				return
			}
			if res.ContentLength < 0 { // an event stream: now, not later
				http.NewResponseController(w).Flush()
			}
		}
		if err != nil {
			return
		}
	}
}
