package docker

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
)

// What a labelled container printed before it stopped is told, without its secrets; of
// one that runs, or is none of the gateway's business, nothing is.
func TestLastLog(t *testing.T) {
	l := newLab(t)
	const secret = "ghp_0123456789abcdefghij0123456789abcdef"
	stopped := func(labels map[string]string) string { // the server cannot listen there
		return l.start(want{labels: labels, cmd: []string{"nowhere", secret}})
	}
	ours, others := stopped(port8080("stopped")), stopped(nil)
	running := l.start(want{labels: port8080("running")})
	all := []string{passPing, passEvents, passList, passInspect, passNetworks, rest}
	p, _ := l.watch(Config{Log: testLog(t)})
	report := awaitReport(t, p, "both are seen", func(r discovery.Report) bool {
		seen := map[string]string{}
		for _, o := range r.Containers {
			seen[o.ID] = o.Verdict
		}
		return seen[ours] == verdictNotRunning && seen[running] == verdictRegistered
	})
	for name, tt := range map[string]struct {
		host string
		want bool
	}{
		"the engine":                    {"", true},
		"a proxy that shows logs":       {socketProxy(t, l.cli, append(all, "/containers/[a-f0-9]+/logs")...), true},
		"a proxy that shows nobody's":   {socketProxy(t, l.cli, all...), false},
		"a proxy that refuses to start": {"tcp://127.0.0.1:1", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Config{Host: tt.host, Network: l.net, Log: testLog(t)})
			p.observed = report.Containers // as if it had watched itself
			lines, err := p.LastLog(t.Context(), ours)
			text := strings.Join(lines, "\n")
			if strings.Contains(text, "panic: listen tcp") != tt.want || strings.Contains(text, secret) || len(lines) > logLines {
				t.Errorf("%v: %q", err, lines)
			}
			for _, id := range []string{others, running, "gone"} {
				if lines, err := p.LastLog(t.Context(), id); len(lines) > 0 || err != nil {
					t.Errorf("%s: %q, %v", id, lines, err)
				}
			}
		})
	}
}
