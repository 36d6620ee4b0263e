// Package floor has the two yardsticks that a gateway is held against: Proxy,
// what net/http costs with no gateway in it, and Raw, the least that a gateway
// can do.
package floor

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Proxy is net/http/httputil.ReverseProxy and nothing else: the practical floor
// for what a gateway written in Go costs.
func Proxy(to *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  transport(),
		BufferPool: pool{},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without this, the server closes the request's body when the answer
		// begins; a transport that is still looking for that body's end then
		// gives the backend connection up, and large answers break off.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

func transport() *http.Transport {
	return &http.Transport{
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}

type pool struct{}

var bufs = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (pool) Get() []byte  { return bufs.Get().(*[32 << 10]byte)[:] }
func (pool) Put(b []byte) { bufs.Put((*[32 << 10]byte)(b)) }
