package dockerproxy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const anID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var allowed = []string{
	"GET /_ping", "HEAD /_ping", "GET /v1.45/version", "GET /v1.45/info", "GET /v1.45/events",
	"GET /v1.45/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D&since=1700000000.000000001",
	"GET /v1.45/containers/json?all=1", "GET /containers/" + anID + "/json",
	"POST /v1.45/containers/" + anID + "/attach?stream=1&stdin=1&stdout=1&stderr=1",
	"GET /v1.45/networks?filters=%7B%22name%22%3A%7B%22mcp-gw-net%22%3Atrue%7D%7D", "GET /v1.45/networks/" + anID, "GET /v1.45/services",
}

// forbidden are the engine's other routes, and the tricks to get at them.
var forbidden = []string{
	"POST /auth", "POST /build", "POST /build/prune", "POST /build/cancel", "POST /commit", "GET /configs", "POST /configs/create", "GET /configs/x",
	"DELETE /configs/x", "POST /configs/x/update", "POST /containers/create", "POST /containers/prune",
	"GET /containers/x/attach/ws", "GET /containers/x/attach", "GET /containers/x/archive?path=/", "HEAD /containers/x/archive?path=/",
	"PUT /containers/x/archive?path=/", "GET /containers/x/changes", "POST /containers/x/exec", "GET /containers/x/export", "POST /containers/x/kill",
	"GET /containers/x/logs?stdout=1", "POST /containers/x/pause", "POST /containers/x/rename?name=y", "POST /containers/x/resize", "POST /containers/x/restart",
	"POST /containers/x/start", "GET /containers/x/stats", "POST /containers/x/stop", "GET /containers/x/top", "POST /containers/x/unpause",
	"POST /containers/x/update", "POST /containers/x/wait", "DELETE /containers/x", "POST /containers/x/checkpoints", "GET /distribution/x/json",
	"GET /exec/x/json", "POST /exec/x/resize", "POST /exec/x/start", "POST /grpc", "GET /images/json", "POST /images/create", "GET /images/x/json",
	"GET /images/x/history", "POST /images/x/push", "POST /images/x/tag", "DELETE /images/x", "GET /images/search", "POST /images/prune", "GET /images/get",
	"GET /images/x/get", "POST /images/load", "POST /networks/create", "POST /networks/prune", "POST /networks/x/connect", "POST /networks/x/disconnect",
	"DELETE /networks/x", "GET /nodes", "GET /nodes/x", "DELETE /nodes/x", "POST /nodes/x/update", "GET /plugins", "POST /plugins/pull", "POST /plugins/create",
	"GET /plugins/x/json", "POST /plugins/x/enable", "DELETE /plugins/x", "GET /secrets", "POST /secrets/create", "GET /secrets/x", "DELETE /secrets/x",
	"POST /services/create", "GET /services/x", "DELETE /services/x", "POST /services/x/update", "GET /services/x/logs", "POST /session", "GET /swarm",
	"POST /swarm/init", "POST /swarm/join", "POST /swarm/leave", "POST /swarm/update", "GET /swarm/unlockkey", "POST /swarm/unlock", "GET /system/df",
	"GET /tasks", "GET /tasks/x", "GET /tasks/x/logs", "GET /volumes", "POST /volumes/create", "GET /volumes/x", "DELETE /volumes/x", "PUT /volumes/x",
	"POST /volumes/prune", "GET /debug/pprof/heap", "GET /metrics", "GET /libpod/containers/json",
	// Methods.
	"POST /_ping", "DELETE /containers/json", "PUT /containers/x/json", "HEAD /containers/x/json", "OPTIONS /containers/json", "CONNECT x:80", "TRACE /_ping", "PRI *", "get /_ping", "OPTIONS *",
	// Paths.
	"GET /containers/x/../json", "GET /containers/./json", "GET //containers/json", "GET /containers//json", "GET /containers/json/", "GET /containers/x%2fjson",
	"GET /containers/%2e%2e/json", "GET /containers/%78/json", "GET /Containers/json", "GET /CONTAINERS/JSON", "GET /v1.45/v1.44/containers/json", "GET /v2.0/containers/json",
	"GET /v1.45x/containers/json", "GET /v1.4545/containers/json", "GET http://docker/containers/json", "GET containers/json", "GET /containers/x\x00/json", "GET /containers/x;a=b/json",
	"GET /containers/x\\json", "GET /containers/json#x", "GET /containers/.x/json", "GET /containers/" + strings.Repeat("x", 300) + "/json", "GET ", "GET /", "GET /v1.45", "GET /v1.45/",
	"GET /containers/json/../x/logs", "GET /networks/create", "GET /containers/\xff/json",
	// Queries.
	"GET /containers/json?size=1", "GET /containers/json?all=2", "GET /containers/json?all=1&all=0", "GET /containers/json?filters=%7B%7D", "GET /containers/x/json?size=1",
	"POST /containers/x/attach?logs=1", "POST /containers/x/attach?detachKeys=a", "GET /events?since=yesterday", "GET /events?filters=x", "GET /events?filters=%7B%22container%22%3A%5B%22x%22%5D%7D",
	"GET /events?filters=%7B%22type%22%3A%5B%22image%22%5D%7D", "GET /networks?filters=%7B%22label%22%3A%5B%22x%22%5D%7D", "GET /events?%zz", "GET /version?x=1", "GET /events?" + strings.Repeat("x", 5000),
}

func TestForbiddenRequestLines(t *testing.T) {
	for _, line := range allowed {
		method, target, _ := strings.Cut(line, " ")
		if _, err := parse(method, target, false); err != nil {
			t.Errorf("%s: refused: %v", line, err)
		}
	}
	for _, line := range forbidden {
		method, target, _ := strings.Cut(line, " ")
		if a, err := parse(method, target, false); err == nil {
			t.Errorf("%q: let through as %+v", line, a)
		}
	}
}

// Where commands may be started, three more requests are let through, and no others.
func TestForbiddenRequestLinesWithExec(t *testing.T) {
	more := []string{"POST /v1.45/containers/" + anID + "/exec", "POST /exec/" + anID + "/start", "GET /exec/" + anID + "/json",
		"POST /containers/x/exec", "GET /exec/x/json", "POST /exec/x/start"}
	for _, line := range append(slices.Clone(more), allowed...) {
		method, target, _ := strings.Cut(line, " ")
		if _, err := parse(method, target, true); err != nil {
			t.Errorf("%s: refused: %v", line, err)
		}
		if _, err := parse(method, target, false); (err == nil) != slices.Contains(allowed, line) {
			t.Errorf("%s, without: %v", line, err)
		}
	}
	for _, line := range append(slices.Clone(forbidden), "GET /containers/x/exec", "POST /exec/x", "POST /exec/x/json", "GET /exec/x/start", "POST /exec/x/resize?h=1",
		"POST /containers/x/exec?a=b", "POST /exec/x/start?detach=1", "POST /exec/x%2f../start", "POST /exec/../x/start", "DELETE /exec/x/start", "GET /exec/json") {
		method, target, _ := strings.Cut(line, " ")
		if a, err := parse(method, target, true); err == nil && !slices.Contains(more, line) {
			t.Errorf("%q: let through as %+v", line, a)
		}
	}
}

// Whatever is let through names one of the known requests and nothing else.
func FuzzParse(f *testing.F) {
	for _, line := range append(allowed, forbidden...) {
		f.Add(line)
	}
	plain := regexp.MustCompile(`^/(v1\.[0-9]{1,3}/)?(_ping|version|info|events|containers/json|containers/[\w.-]{1,128}/(json|attach|exec)|exec/[\w.-]{1,128}/(json|start)|networks|networks/[\w.-]{1,128}|services)$`)
	f.Fuzz(func(t *testing.T, line string) {
		method, target, _ := strings.Cut(line, " ")
		a, err := parse(method, target, true)
		if err != nil {
			return
		}
		path, _, _ := strings.Cut(target, "?")
		if !plain.MatchString(path) || strings.Contains(path, "/../") || strings.HasPrefix(a.id, ".") {
			t.Errorf("%q was let through", line)
		}
		if writes := a.kind == attachContainer || a.kind == createExec || a.kind == startExec; writes != (method == "POST") {
			t.Errorf("%q: %s let through as %v", line, method, a.kind)
		}
	})
}
