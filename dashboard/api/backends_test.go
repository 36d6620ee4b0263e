package api

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

const (
	haState = `{"name":"ha","url":"http://10.0.0.5:8123/sse","transport":"sse","enabled":true,"headers":{"Authorization":"***"},"tools":[],` +
		`"status":"connected","latencyMs":null,"lastPingAt":null,"error":null,"source":"manual","state":"ready","resources":0,"prompts":0,` +
		`"health":"healthy","toolCount":0,"enabledTools":0,"tokens":0,"replicas":1,"stats":{"calls":0,"errors":0,"p50Ms":0,"p95Ms":0},"diagnostics":[]}`
	deadState = `{"name":"dead","url":"http://dead/mcp","transport":"http","enabled":true,"tools":[],` +
		`"status":"error","latencyMs":null,"lastPingAt":null,"error":"connection refused","source":"manual","state":"failed","reason":"connection refused","resources":0,"prompts":0,` +
		`"health":"down","toolCount":0,"enabledTools":0,"tokens":0,"replicas":1,"stats":{"calls":0,"errors":0,"p50Ms":0,"p95Ms":0},"diagnostics":[]}`
	ha = `{"name":"ha","url":"http://10.0.0.5:8123/sse","transport":"sse","headers":{"Authorization":"Bearer s3cr3t"}}`
)

func TestBackendsRoundTrip(t *testing.T) {
	h := newHouse(t)
	saved := `,"savedIn":"` + h.file + `"}`
	h.want(t, "GET", "/api/backends", "", 200, `[]`)
	h.want(t, "POST", "/api/backends", ha, 200, `{"ok":true,"backend":`+haState+saved)
	// A connect that failed is no failure of the registration.
	h.want(t, "POST", "/api/backends", `{"name":"dead","url":"http://dead/mcp","transport":"http","enabled":true}`, 200, `{"ok":true,"backend":`+deadState+saved)
	h.want(t, "GET", "/api/backends", "", 200, `[`+haState+`,`+deadState+`]`)
	if len(h.gateway.reconnects) != 0 {
		t.Errorf("reconnected: %v", h.gateway.reconnects)
	}
	// The same once more means: connect anew. So does the mask for the secret.
	h.want(t, "POST", "/api/backends", ha, 200, `{"ok":true,"backend":`+haState+saved)
	h.want(t, "POST", "/api/backends", strings.Replace(ha, "Bearer s3cr3t", "***", 1), 200, `{"ok":true,"backend":`+haState+saved)
	if len(h.gateway.reconnects) != 2 {
		t.Errorf("the same registration twice: reconnected %v", h.gateway.reconnects)
	}
	data, err := os.ReadFile(h.file)
	if err != nil || !strings.Contains(string(data), "Bearer s3cr3t") {
		t.Errorf("the file has lost the secret: %s, %v", data, err)
	}
	h.want(t, "POST", "/api/backends/ha/reconnect", "", 200, `{"ok":true,"backend":`+haState+`}`)
	h.want(t, "DELETE", "/api/backends/dead", "", 200, `{"ok":true}`)
	h.want(t, "DELETE", "/api/backends/dead", "", 200, `{"ok":true}`)
	h.want(t, "GET", "/api/backends", "", 200, `[`+haState+`]`)
	h.want(t, "POST", "/api/backends/dead/reconnect", "", 404, `{"error":"Backend not found in config"}`)
	h.want(t, "POST", "/api/backends", `{"name":"off","url":"http://off","transport":"http","enabled":false}`, 200,
		`{"ok":true,"backend":{"name":"off","url":"http://off","transport":"http","enabled":false,"tools":[],"status":"disconnected","latencyMs":null,"lastPingAt":null,"error":null,`+
			`"source":"manual","state":"disabled","resources":0,"prompts":0,"health":"disabled","toolCount":0,"enabledTools":0,"tokens":0,"replicas":1,"stats":{"calls":0,"errors":0,"p50Ms":0,"p95Ms":0},"diagnostics":[]}`+saved)
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct{ body, want string }{
		{`{}`, "name, url, transport are required"},
		{`null`, "name, url, transport are required"},
		{`{"name":"A","url":"u"}`, "name, url, transport are required"},
		{`{"name":"A","url":"u","transport":"x"}`, "name must be lowercase alphanumeric/dash/underscore"},
		{`{"name":"a","url":"u","transport":"stdio"}`, "transport must be http or sse"},
		{`{"name":"a__b","url":"http://h","transport":"http"}`, `name "a__b" must not contain "__", which stands between a backend's name and a tool's`},
		{`{"name":"a","url":"h:80","transport":"http"}`, `url "h:80" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{`{"name":"a","url":"http://h","transport":"http","headers":{"A b":"c"}}`, `headers: "A b" cannot be the name of a header`},
		{`{"name":1,"url":"http://h","transport":"http"}`, "name must be a string, not number"},
		{`{"name":"a","url":"http://h","transport":"http","enabled":"no"}`, "enabled must be true or false, not string"},
		{`{"name":"a","url":"http://h","transport":"http","headers":["x"]}`, "headers must be an object, not array"},
		{`{"name":"a","url":"http://h","transport":"http","groups":"dev"}`, "groups must be an array, not string"},
		{`{"name":"a","url":"http://h","transport":"http","groups":["dev","A b"]}`, `groups: "A b" is not a name: 1 to 32 characters of a-z, 0-9 and -, no - at either end`},
		{`{"name":"a","url":"http://h","transport":"http","groups":["self"]}`, `groups: "self" is reserved for the gateway itself`},
		{`{"name":"a","url":"https://h","transport":"http","tls":"no"}`, "tls must be an object, not string"},
		{`{"name":"a","url":"https://h","transport":"http","tls":{"verify":"no"}}`, "tls.verify must be true or false, not string"},
		{`{"name":"a","url":"https://h","transport":"http","tls":{"serverName":"h:1"}}`, `tls.serverName "h:1" is not a host name such as search.internal, without scheme and port`},
		{`{"name":"a","url":"https://h","transport":"http","tls":{"ca":"ca.pem"}}`, `tls.ca "ca.pem" is not an absolute path such as /certs/ca.pem, without . and .. in it`},
		{`{"name":"a","url":"http://h","transport":"http","tls":{"verify":false}}`, `tls.verify has no effect, because the scheme is http: leave it out`},
		{``, "the body must be a JSON object, and is empty"},
		{`[]`, "the body must be a JSON object: json: cannot unmarshal array into Go value of type api.registration"},
		{`{"name":"a"`, "the body must be a JSON object: unexpected EOF"},
		{`{} {}`, "the body must be a JSON object: something follows the JSON object"},
	} {
		status, got := h.call(t, "POST", "/api/backends", c.body)
		quoted := strings.Trim(field(t, got, "error"), `"`)
		if want := strings.ReplaceAll(c.want, `"`, `\"`); status != http.StatusBadRequest || quoted != want {
			t.Errorf("%s:\n got %d %s\nwant 400 %s", c.body, status, quoted, want)
		}
	}
	h.want(t, "GET", "/api/backends", "", 200, `[]`)
	if _, err := os.Stat(h.file); !os.IsNotExist(err) {
		t.Errorf("a refused registration wrote the file (%v)", err)
	}
	huge := `{"name":"` + strings.Repeat("a", 11<<20) + `"}`
	h.want(t, "POST", "/api/backends", huge, 413, `{"error":"the body is larger than 10MiB"}`)
}

func TestARegistryThatCannotBeWrittenSaysSo(t *testing.T) {
	h := newHouse(t)
	if err := os.Mkdir(h.file, 0o700); err != nil {
		t.Fatal(err)
	}
	status, got := h.call(t, "POST", "/api/backends", ha)
	if status != 500 || !strings.Contains(got, h.file) || strings.Contains(got, "s3cr3t") {
		t.Errorf("got %d %s", status, got)
	}
	h.want(t, "GET", "/api/backends", "", 200, `[]`)
	if _, got = h.call(t, "GET", "/api/health", ""); !strings.Contains(field(t, got, "problems"), "it is a directory") {
		t.Errorf("health does not name the problem: %s", got)
	}
}

// labelled is a backend that a container wants.
func labelled(name string) gateway.BackendState {
	return gateway.BackendState{
		Name: name, URL: "http://172.20.0.2:8080/mcp", Transport: "http", Enabled: true, Source: discovery.SourceDocker,
		Status: "connected", State: "ready", Replicas: 1, Container: &discovery.Container{ID: "c0ffee00", Name: "web-1", Image: "i"},
		Tools: []json.RawMessage{json.RawMessage(`{"name":"t","x":"<b>"}`)},
	}
}

func TestWhatALabelOwnsIsNotChangedByREST(t *testing.T) {
	h := newHouse(t)
	h.gateway.docker = []gateway.BackendState{labelled("web")}
	h.want(t, "POST", "/api/backends", `{"name":"web","url":"http://h","transport":"http"}`, 409,
		`{"error":"the name \"web\" belongs to container web-1, by its labels: take another name, or give that container another one with the label mcp-gw.name"}`)
	h.want(t, "DELETE", "/api/backends/web", "", 409,
		`{"error":"\"web\" belongs to container web-1, by its labels: stop the container, or give it the label mcp-gw.enable=false"}`)
	if status, got := h.call(t, "POST", "/api/backends/web/reconnect", ""); status != 200 || !strings.Contains(got, `"tools":[{"name":"t","x":"<b>"}]`) {
		t.Errorf("reconnect: %d %s", status, got)
	}
	if _, err := os.Stat(h.file); !os.IsNotExist(err) {
		t.Errorf("the file was written (%v)", err)
	}
}

func TestARegistrationThatCameFirstMayBeChanged(t *testing.T) {
	h := newHouse(t)
	h.call(t, "POST", "/api/backends", ha)
	h.gateway.mu.Lock()
	h.gateway.docker = []gateway.BackendState{labelled("ha")} // wants the same name
	h.gateway.mu.Unlock()
	if status, got := h.call(t, "POST", "/api/backends", strings.Replace(ha, "/sse", "/other", 1)); status != 200 {
		t.Errorf("replace: %d %s", status, got)
	}
	h.want(t, "DELETE", "/api/backends/ha", "", 200, `{"ok":true}`) // and the container takes over
	if b, _ := h.gateway.Backend("ha"); b.Source != discovery.SourceDocker {
		t.Errorf("the name belongs to %s", b.Source)
	}
}

func TestOneBackend(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Discovery = &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{{
			Container: discovery.Container{ID: "c0ffee00", Name: "web-1"}, Verdict: "registered", Backend: "web",
			Settings: []discovery.Setting{{Key: "port", Value: "8080", Source: "label"}},
		}}}}
	})
	h.gateway.docker = []gateway.BackendState{labelled("web")}
	h.gateway.journal.Backend(journal.LevelInfo, "web", "Connected — 1 tools")
	h.gateway.journal.Backend(journal.LevelInfo, "other", "Connected — 2 tools")
	_, got := h.call(t, "GET", "/api/backends/web", "")
	if s := field(t, got, "settings"); s != `[{"key":"port","value":"8080","source":"label"}]` {
		t.Errorf("settings of a container: %s", s)
	}
	if s := field(t, got, "history"); !strings.Contains(s, "Connected — 1 tools") || strings.Contains(s, "other") {
		t.Errorf("history: %s", s)
	}
	h.call(t, "POST", "/api/backends", ha)
	_, got = h.call(t, "GET", "/api/backends/ha", "")
	if s := field(t, got, "settings"); s != `[{"key":"url","value":"http://10.0.0.5:8123/sse","source":"file"},{"key":"transport","value":"sse","source":"file"},{"key":"enabled","value":"true","source":"file"},{"key":"headers.Authorization","value":"***","source":"file"}]` {
		t.Errorf("settings of a registration: %s", s)
	}
	status, got := h.call(t, "POST", "/api/backends", `{"name":"ca","url":"https://h/mcp","transport":"http","groups":["b","a"],"tls":{"verify":true,"serverName":"H.internal","ca":"/certs/ca.pem"}}`)
	if status != 200 {
		t.Fatalf("a registration with groups and tls: %d %s", status, got)
	}
	_, got = h.call(t, "GET", "/api/backends/ca", "")
	if s := field(t, got, "settings"); !strings.HasSuffix(s, `,{"key":"groups","value":"a,b","source":"file"},{"key":"tls.serverName","value":"h.internal","source":"file"},{"key":"tls.ca","value":"/certs/ca.pem","source":"file"}]`) {
		t.Errorf("settings of a registration with groups and tls: %s", s)
	}
	h.want(t, "GET", "/api/backends/no%2Fbody", "", 404, `{"error":"no backend is called \"no/body\"; GET /api/backends lists all"}`)
}

func TestSecretsStayInside(t *testing.T) {
	h := newHouse(t)
	h.call(t, "POST", "/api/backends", ha)
	h.call(t, "POST", "/api/backends", `{"name":"dead","url":"http://bob:s3cr3t@dead/mcp","transport":"http","headers":{"X-Key":"s3cr3t"}}`)
	h.call(t, "POST", "/api/backends", `{"name":"x","url":"ftp://bob:s3cr3t@h","transport":"http"}`)
	h.call(t, "POST", "/api/backends", `{"name":"hosted","url":"https://s3cr3t@mcp.example.com/mcp?exaApiKey=s3cr3t&x=1","transport":"http"}`)
	o := discovery.Observed{Container: discovery.Container{ID: "aaaa1111", Name: "box"}, Verdict: "registered", Backend: "box", URL: "http://h/?token=s3cr3t"}
	for _, name := range discovery.StepNames {
		o.Ladder = append(o.Ladder, discovery.Step{Name: name, State: "ok"})
	}
	h.server.Discovery = &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{o}}}
	h.gateway.mu.Lock()
	text := `Get "http://bob:s3cr3t@dead/mcp?api_key=s3cr3t": refused`
	h.gateway.byHand[1].Error, h.gateway.byHand[1].Reason = &text, text
	h.gateway.docker = []gateway.BackendState{{Name: "box", Source: discovery.SourceDocker, Transport: "http", Status: "error", State: "failed", Failure: "not_mcp", Reason: text, Error: &text,
		URL: o.URL, Answer: text, Container: &o.Container, Endpoints: []gateway.EndpointState{{ID: "1", State: "failed", URL: o.URL, Reason: text}}}}
	h.gateway.mu.Unlock()
	m := h.gateway.journal.Meter("ha", "t")
	m.Start([]byte(`{"deep":[{"password":"s3cr3t"}]}`)).End(journal.Outcome{Err: text})
	for _, path := range []string{"/", "/api/health", "/api/backends", "/api/backends/ha", "/api/backends/dead", "/api/logs", "/api/backends/hosted", "/api/backends/box", "/api/overview", "/api/discovery", "/api/discovery/box", "/api/tools", "/metrics"} {
		if _, got := h.call(t, "GET", path, ""); strings.Contains(got, "s3cr3t") {
			t.Errorf("GET %s shows a secret: %s", path, got)
		}
	}
}
