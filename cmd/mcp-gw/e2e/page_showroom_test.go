package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A showroom is a gateway with backends as people have them, to be looked at.
type showroom struct {
	*gateway
	stubs []*stub
}

// exhibit is a backend of the showroom: a line a tool, "name | title | description |
// properties | annotations".
type exhibit struct {
	name  string
	tools []string
}

var exhibits = []exhibit{
	{"github", []string{
		`search_issues|Search issues|Find issues and pull requests across repositories with GitHub's search syntax. Results hold number, title, state and labels.|"query":{"type":"string","description":"GitHub search syntax, such as is:open label:bug"},"sort":{"enum":["created","updated","comments"]},"per_page":{"type":"integer","minimum":1,"maximum":100,"default":30}|"readOnlyHint":true`,
		`get_file_contents|Read a file|The content of a file or folder at a given ref.|"owner":{"type":"string"},"repo":{"type":"string"},"path":{"type":"string"},"ref":{"type":"string"}|"readOnlyHint":true`,
		`create_issue|Create an issue|Open an issue in a repository.|"owner":{"type":"string"},"repo":{"type":"string"},"title":{"type":"string"},"body":{"type":"string"},"labels":{"type":"array","items":{"type":"string"}}|"destructiveHint":false`,
		`merge_pull_request|Merge a pull request|Merge by commit, squash or rebase.|"owner":{"type":"string"},"repo":{"type":"string"},"pull_number":{"type":"integer"},"method":{"enum":["merge","squash","rebase"]}|"destructiveHint":true`,
		`list_commits|List commits|Commits of a branch, newest first.|"owner":{"type":"string"},"repo":{"type":"string"},"sha":{"type":"string"}|"readOnlyHint":true`}},
	{"postgres", []string{
		`query|Run a query|One read-only SQL statement; rows as JSON, at most 500.|"sql":{"type":"string"},"limit":{"type":"integer","maximum":500}|"readOnlyHint":true`,
		`describe_table|Describe a table|Columns, types, indexes and foreign keys.|"table":{"type":"string"}|"readOnlyHint":true,"idempotentHint":true`,
		`explain|Explain a query|The plan, with costs, of a statement.|"sql":{"type":"string"},"analyze":{"type":"boolean"}|"readOnlyHint":true`}},
	{"notes", []string{
		`search|Search notes|Full text search over all notes.|"query":{"type":"string"},"tags":{"type":"array","items":{"enum":["work","home","idea"]}}|"readOnlyHint":true`,
		`add|Add a note||"title":{"type":"string"},"text":{"type":"string"}|`,
		`delete|Delete a note|Removes a note for good.|"id":{"type":"string"}|"destructiveHint":true`}},
	{"home", []string{
		`turn_on|Turn on|Turns a light, switch or scene on.|"entity":{"type":"string"},"brightness":{"type":"integer","minimum":0,"maximum":255}|"idempotentHint":true`,
		`get_state|Read a state|State and attributes of an entity.|"entity":{"type":"string"}|"readOnlyHint":true`,
		`history|History|States of an entity over a period.|"entity":{"type":"string"},"from":{"type":"string","format":"date-time"},"to":{"type":"string","format":"date-time"}|"readOnlyHint":true`}},
	{"browser", []string{
		`navigate|Open a page|Opens an address and waits until it has loaded.|"url":{"type":"string","format":"uri"}|"openWorldHint":true`,
		`screenshot|Take a picture|A picture of the page or of one element.|"selector":{"type":"string"},"full_page":{"type":"boolean"}|"readOnlyHint":true,"openWorldHint":true`,
		`eval|Run a script|Runs JavaScript in the page.|"script":{"type":"string"}|"destructiveHint":true,"openWorldHint":true`}},
	{"grafana", []string{
		`query_range|Query a range|A PromQL query over a range of time.|"expr":{"type":"string"},"start":{"type":"string"},"end":{"type":"string"},"step":{"type":"string"}|"readOnlyHint":true`,
		`list_dashboards|List dashboards|Dashboards by folder and tag.|"tag":{"type":"string"}|"readOnlyHint":true`}},
	{"weather", []string{
		`forecast|Forecast|Hourly forecast for the next days at a place.|"place":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":7}|"readOnlyHint":true`}},
}

// object is the tool as its server lists it.
func (e exhibit) object(line string) (name, object string) {
	f := strings.Split(line, "|")
	description := ""
	if f[2] != "" {
		description = fmt.Sprintf(`"description":%q,`, f[2])
	}
	return f[0], fmt.Sprintf(`{"name":%q,"title":%q,%s"inputSchema":{"type":"object","properties":{%s}},"annotations":{%s}}`, f[0], f[1], description, f[3], f[4])
}

// openShowroom has n backends: none, one, seven of which one is down and one wants
// credentials, or any number.
func openShowroom(t *testing.T, n int, env ...string) *showroom {
	t.Helper()
	r := &showroom{gateway: startGateway(t, env...)}
	shown := exhibits[:min(n, len(exhibits))]
	for i, e := range shown {
		s := newStub(t, i%2 == 1, false)
		for _, line := range e.tools {
			name, object := e.object(line)
			s.toolObject(name, object, func(c *stubCall) string {
				select {
				case <-time.After(time.Duration(5+len(c.arguments)%40) * time.Millisecond):
				case <-c.ctx.Done():
				}
				if strings.Contains(string(c.arguments), "nowhere") {
					return `"result":{"isError":true,"content":[{"type":"text","text":"there is no such thing: nowhere"}]}`
				}
				return `"result":{"content":[{"type":"text","text":"{\"total\":2,\"items\":[{\"number\":412,\"title\":\"Events are lost after a reconnect\",\"state\":\"open\"},{\"number\":398,\"title\":\"A label with a typo is silent\",\"state\":\"closed\"}]}"}]}`
			})
		}
		r.stubs = append(r.stubs, s)
		r.connect(t, e.name, s.url, "http")
	}
	switch {
	case n > len(shown):
		for i := len(shown); i < n; i++ {
			r.register(t, fmt.Sprintf("service-%03d", i), r.stubs[i%len(r.stubs)].url, "http")
		}
	case n == len(exhibits):
		locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tickets"`)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		t.Cleanup(locked.Close)
		r.register(t, "tickets", locked.URL+"/mcp", "http")
		r.stubs[4].server.Close() // browser
		r.api(t, http.MethodPost, "/api/backends/browser/reconnect", "")
	}
	return r
}

// visit makes the calls of an hour's work in a moment, as clients that people have.
func (r *showroom) visit(t *testing.T) {
	t.Helper()
	if len(r.stubs) == 0 {
		return
	}
	clients := []*rawClient{dialLegacyAs(t, r.mcp(), "claude-code", "2.1.330"), dialLegacyAs(t, r.mcp(), "cursor-vscode", "1.0.0")}
	for i := range 60 {
		e := exhibits[i%min(4, len(r.stubs))]
		name, _ := e.object(e.tools[i%len(e.tools)])
		arguments := fmt.Sprintf(`{"query":"is:open label:bug","entity":"light.kitchen","sql":"select * from orders limit %d","page":%d,"api_key":"sk-this-is-redacted-0123456789"}`, i, i)
		if i%13 == 12 {
			arguments = `{"query":"nowhere"}`
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := clients[i%2].try(ctx, callTool(e.name+"__"+name, arguments))
		cancel()
		if err != nil {
			t.Fatalf("a call of %s__%s: %v", e.name, name, err)
		}
	}
}
