package upstream

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
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
