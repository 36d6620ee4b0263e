package upstream

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"mcp-gw/gateway/journal"
)

// An address is told of in the log and the journal without what is secret in it, whether
// the backend can be reached or not.
func TestAddressesAreToldWithoutTheirSecrets(t *testing.T) {
	for name, host := range map[string]string{"reached": strings.TrimPrefix(serve(t, newBackend(t)).URL, "http://"), "not reached": "127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			for _, who := range []string{"alice:hunter2pw", "hunter2pw"} {
				var log bytes.Buffer
				cfg, told := quick(), journal.New(journal.Options{})
				cfg.Record = told
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				b := at("http://" + who + "@" + host + "/mcp?key=hunter2pw")
				u := New(b, cfg, func() {})
				done := make(chan struct{})
				go func() { defer close(done); u.Run() }()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				u.AwaitTried(ctx, b)
				cancel()
				u.Stop()
				<-done
				said := log.String() + fmt.Sprintf("%+v", told.Entries(100))
				if strings.Contains(said, "hunter2pw") || strings.Count(said, "key=xxxxx") < 2 {
					t.Error(said)
				}
			}
		})
	}
}

// A user in an address goes with every request as Basic, a header of one's own before it.
func TestUserOfAnAddressIsSent(t *testing.T) {
	for name, next := range map[string]http.Handler{"http": newBackend(t), "sse": newSSEBackend(t)} {
		for who, want := range map[string]string{"alice:p%20w": "alice:p w", "t0ken": "t0ken:", "bob:x": ""} {
			t.Run(name+" "+who, func(t *testing.T) {
				var refused atomic.Int64
				guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					user, password, _ := r.BasicAuth()
					if want == "" && r.Header.Get("Authorization") == "Bearer own" || want != "" && user+":"+password == want {
						if r.URL.Path == "/mcp" {
							http.Redirect(w, r, "http://"+r.Host+"/mcp/", http.StatusPermanentRedirect)
							return
						}
						next.ServeHTTP(w, r)
						return
					}
					refused.Add(1)
					w.WriteHeader(http.StatusUnauthorized)
				})
				host := strings.TrimPrefix(serve(t, guarded).URL, "http://")
				b := at("http://" + who + "@" + host + "/mcp")
				if want == "" {
					b.Headers = map[string]string{"authorization": "Bearer own"}
				}
				u := start(t, b, quick())
				if got := awaitReady(t, u).URL; got != "http://"+who+"@"+host+"/mcp/" {
					t.Errorf("it says that it is at %s", got)
				}
				mustCall(t, u, "one", "echo", "done")
				if n := refused.Load(); n != 0 {
					t.Errorf("%d requests had another header", n)
				}
			})
		}
	}
}
