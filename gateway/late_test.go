package gateway_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// F42: a server that listens long after it was registered is found by itself, and its
// clients are told.
func TestF42AServerThatListensLate(t *testing.T) {
	g, url := run(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	g.Put(docker(at("late", "http://"+address+"/mcp")))
	await(t, "being refused", func() bool { s, _ := g.Backend("late"); return s.Reason != "" })
	f := follow(t, url)
	time.Sleep(time.Second) // past the first, quick attempts
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("another process took the port meanwhile: ", err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: newBox(t, true)}}
	srv.Start()
	t.Cleanup(func() {
		_ = l.Close() // as in serve
		srv.CloseClientConnections()
		srv.Close()
	})
	await(t, "being told", func() bool { return f.told.Load() > 0 })
	if got := listed(t, url, "legacy"); got != "late__echo" {
		t.Errorf("listed: %q", got)
	}
}
