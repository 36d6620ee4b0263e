package upstream

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"mcp-gw/discovery"
)

// sseBackend is a scripted server of 2024-11-05 for one client at a time.
type sseBackend struct {
	*backend
	first string // the endpoint event's data

	lock    sync.Mutex
	streams []*sseStream
}

type sseStream struct {
	out chan string // events to be sent
	end chan struct{}
}

func newSSEBackend(t *testing.T) *sseBackend {
	b := &sseBackend{backend: newBackend(t), first: "/message"}
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		s := &sseStream{out: make(chan string, 2000), end: make(chan struct{})}
		b.lock.Lock()
		b.streams = append(b.streams, s)
		first := b.first
		b.lock.Unlock()
		stream(w)
		fmt.Fprintf(w, "event: endpoint\ndata: %s?n=%d\n\n", first, len(b.streams)-1)
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case text := <-s.out:
				send(w, "%s", text)
				continue
			default:
			}
			select {
			case text := <-s.out:
				send(w, "%s", text)
			case <-s.end:
				return
			case <-q.Context().Done():
				return
			}
		}
	})
	b.on["server/discover"] = func(w http.ResponseWriter, _ *question) { w.WriteHeader(http.StatusMethodNotAllowed) }
	b.on["initialize"] = func(w http.ResponseWriter, q *question) {
		if q.URL.Path != "/message" {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		b.reply(w, q, `{"protocolVersion":"2024-11-05","capabilities":{"tools":{"listChanged":true}}}`)
	}
	b.on["tools/list"] = func(w http.ResponseWriter, q *question) { b.reply(w, q, `{"tools":`+oneTool+`}`) }
	b.on["ping"] = func(w http.ResponseWriter, q *question) { b.reply(w, q, `{}`) }
	b.on["tools/call"] = func(w http.ResponseWriter, q *question) { b.reply(w, q, `{"text":"done"}`) }
	b.on["POST"] = func(w http.ResponseWriter, _ *question) { w.WriteHeader(http.StatusAccepted) }
	b.on["notifications/initialized"], b.on["notifications/cancelled"] = b.on["POST"], b.on["POST"]
	return b
}

// of answers the stream that q belongs to.
func (b *sseBackend) of(q *question) *sseStream {
	n := 0
	_, _ = fmt.Sscan(q.URL.Query().Get("n"), &n)
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.streams[n]
}

func (b *sseBackend) reply(w http.ResponseWriter, q *question, result string) {
	w.WriteHeader(http.StatusAccepted)
	b.of(q).out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, q.id, result)
}

func startSSE(t *testing.T, b *sseBackend, cfg Config) *Upstream {
	t.Helper()
	want := at(b.URL + "/sse")
	want.Transport = discovery.TransportSSE
	u := start(t, want, cfg)
	awaitReady(t, u)
	return u
}
