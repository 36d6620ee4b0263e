package docker

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestF26LabelMistakesAreTold(t *testing.T) {
	for _, tt := range []struct {
		key, value, verdict, code, fix string
	}{
		{"mcp-gw.transprot", "http", verdictRegisteredWarn, "L001w", "mcp-gw.transport=http"},
		{"mcp-gw.port", "http", verdictLabelValue, "L002e", "mcp-gw.port=8080"},
		{"mcpgw.port", "8080", verdictRegisteredWarn, "L005w", "mcp-gw.port=8080"},
	} {
		b := newBench()
		b.sees(running("a", labelled(tt.key, tt.value)))
		o := b.assemble(b.now).observed[0]
		if o.Verdict != tt.verdict || codes(o.Diagnostics) != tt.code || o.Fix != tt.fix || o.Reason == "" {
			t.Errorf("%s=%s: %+v", tt.key, tt.value, o)
		}
	}
}

// secretFolder is a folder of secrets.
func secretFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// withSecrets is the test's world after the secrets that labels name were read.
func withSecrets(r Rules, o observation) world {
	w := testWorld
	w.rules = r
	names := map[string]bool{}
	secretsOf(w.prefix, o.labels, names)
	w.secrets = readSecrets(r.SecretsDir, names)
	return w
}

func TestF27SecretsAreShownNowhere(t *testing.T) {
	const value = "Zq7-the-very-secret-words"
	dir := secretFolder(t, map[string]string{"tok": value + "\n", "pair": "user:" + value, "bad": value + "\nmore"})
	rules := Rules{SecretsDir: dir, SecretGrants: map[string][]string{"tok": {"c-a"}, "pair": {"c-a"}, "bad": {"c-a"}}}
	for i, labels := range []func(*observation){
		labelled("mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "tok"),
		labelled("mcp-gw.auth", "basic", "mcp-gw.auth.secret", "pair"),
		labelled("mcp-gw.auth", "basic", "mcp-gw.auth.secret", "tok"), // no colon in it
		labelled("mcp-gw.secret-headers.X-Key", "bad"),
		labelled("mcp-gw.headers.Authorization", value),
		labelled("mcp-gw.headers.bad name", value),
		labelled("mcp-gw.auth.secret", value),
		labelled("mcp-gw.api_token", value),
		labelled("mcp-gw.backends.x.headers.X-Token", value),
		labelled("mcp-gw.backends.x.auth.secret", value),
		labelled("mcpgw.headers.Authorization", value, "mcpgw.token", value),
	} {
		o := running("a", labels)
		d := describe(o, withSecrets(rules, o), "")
		m := member{description: d, seen: testStart}
		a := assemble("mcp-gw", []member{m}, tenure{}, testStart)
		for j := range a.set {
			a.set[j].Headers = nil // which go to the backend, and nowhere else
		}
		shown, err := json.Marshal(a.observed)
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range []string{string(shown), fmt.Sprintf("%+v", a.set), fmt.Sprintf("%+v", d.diagnostics), d.reason, d.fix} {
			if strings.Contains(out, value) {
				t.Errorf("case %d: the secret stands in %s", i, out)
			}
		}
	}
}

func TestF28SecretsAreGranted(t *testing.T) {
	dir := secretFolder(t, map[string]string{"tok": "v\r\n", "pair": "u:p", "void": "\n", "long": strings.Repeat("x", maxSecret+1), "two": "a\nb"})
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	compose := labelled(labelComposeProject, "shop", labelComposeService, "exa", labelComposeNumber, "1", "mcp-gw.name", "c-a")
	tests := []struct {
		name   string
		labels []string
		grant  string // of every secret
		home   string // the gateway's own project
		want   string // remarks
		auth   string
	}{
		{"granted to the backend", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "tok"}, "c-a", "", "", "Bearer v"},
		{"granted to the service", []string{"mcp-gw.auth", "header", "mcp-gw.auth.secret", "tok"}, "shop/exa", "", "", "v"},
		{"of the gateway's project", []string{"mcp-gw.auth", "basic", "mcp-gw.auth.secret", "pair"}, "", "shop", "", "Basic dTpw"},
		{"as a header", []string{"mcp-gw.secret-headers.authorization", "tok"}, "c-a", "", "", "v"},
		{"to nobody", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "tok"}, "", "", "L030e", ""},
		{"to another", []string{"mcp-gw.secret-headers.X-A", "tok"}, "other", "other", "L030e", ""},
		{"missing", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "nope"}, "c-a", "", "L031e", ""},
		{"empty", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "void"}, "c-a", "", "L032e", ""},
		{"too long", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "long"}, "c-a", "", "L032e", ""},
		{"two lines", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "two"}, "c-a", "", "L032e", ""},
		{"a folder", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "folder"}, "c-a", "", "L032e", ""},
		{"no pair", []string{"mcp-gw.auth", "basic", "mcp-gw.auth.secret", "tok"}, "c-a", "", "L032e", ""},
		{"a path", []string{"mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "../etc/passwd"}, "c-a", "", "L002e", ""},
		{"no secret", []string{"mcp-gw.auth", "bearer"}, "c-a", "", "L015e", ""},
		{"no way", []string{"mcp-gw.auth.secret", "tok"}, "c-a", "", "L015e", ""},
		{"one header twice", []string{"mcp-gw.headers.X-A", "v", "mcp-gw.secret-headers.x-a", "tok"}, "c-a", "", "L015e", ""},
	}
	for _, tt := range tests {
		o := running("a", compose, labelled(tt.labels...))
		names := map[string]bool{}
		secretsOf("mcp-gw", o.labels, names)
		grants := map[string][]string{}
		for n := range names {
			grants[n] = []string{tt.grant}
		}
		w := withSecrets(Rules{SecretsDir: dir, SecretGrants: grants}, o)
		w.selfProject = tt.home
		d := describe(o, w, "")
		if codes(d.diagnostics) != tt.want || d.routable != (tt.want == "") {
			t.Errorf("%s: %+v", tt.name, d.diagnostics)
		}
		if tt.auth != "" && d.parts[0].backend.Headers["Authorization"] != tt.auth {
			t.Errorf("%s: headers %v", tt.name, d.parts[0].backend.Headers)
		}
		if strings.HasPrefix(tt.want, "L03") && d.verdict != verdictSecret || tt.want != "" && d.fix == "" {
			t.Errorf("%s: %s, fix %q", tt.name, d.verdict, d.fix)
		}
	}
	// An image may say that compose made it, but not which container of how many.
	forged := running("a", labelled(labelComposeProject, "shop", labelComposeService, "exa", "mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "tok"))
	w := withSecrets(Rules{SecretsDir: dir}, forged)
	w.selfProject = "shop"
	if d := describe(forged, w, ""); d.routable {
		t.Error("an image's label opens the secrets of the gateway's project")
	}
}

// A file that changes changes the backend's headers at the next look.
func TestSecretFileChanges(t *testing.T) {
	dir := secretFolder(t, map[string]string{"tok": "one"})
	b := newBench()
	b.world.rules = Rules{SecretsDir: dir, SecretGrants: map[string][]string{"tok": {"c-a"}}}
	o := running("a", labelled("mcp-gw.auth", "bearer", "mcp-gw.auth.secret", "tok"))
	b.keepSecrets(readSecrets(dir, b.secretNames(o.labels)), b.now)
	b.sees(o)
	header := func() string { return b.assemble(b.now).set[0].Headers["Authorization"] }
	if got := header(); got != "Bearer one" {
		t.Fatalf("header %q", got)
	}
	before := b.assemble(b.now).set[0]
	if err := os.WriteFile(filepath.Join(dir, "tok"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.keepSecrets(readSecrets(dir, b.secretNames(nil)), b.now)
	if got := header(); got != "Bearer two" || before.Same(b.assemble(b.now).set[0]) {
		t.Errorf("header %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "tok")); err != nil {
		t.Fatal(err)
	}
	b.keepSecrets(readSecrets(dir, b.secretNames(nil)), b.now)
	b.pass(time.Minute)
	b.expect(t, "the file is gone", "")
}

func TestF29URLLeadsToTheContainerAlone(t *testing.T) {
	aliased := func(o *observation) {
		o.endpoints[0].aliases = []string{"search", "c-a"}
	}
	tests := []struct {
		url     string
		allowed []string
		want    string // remarks
		reached string
	}{
		{"http://10.0.0.2:8080/mcp", nil, "", "http://10.0.0.2:8080/mcp"},
		{"https://search:8443/x?a=b", nil, "", "https://10.0.0.2:8443/x?a=b"},
		{"http://C-A", nil, "", "http://10.0.0.2/"},
		{"https://api.example.com/mcp", nil, "L016e", ""},
		{"https://api.example.com/mcp", []string{"*.example.com"}, "", "https://api.example.com/mcp"},
		{"http://10.0.0.3:8080/", nil, "L016e", ""},
		{"http://169.254.169.254/latest", []string{"*"}, "L002e", ""},
		{"http://[fe80::1]/", []string{"*"}, "L002e", ""},
		{"http://[::ffff:169.254.169.254]/", []string{"*"}, "L002e", ""},
		{"http://127.0.0.1:3000/mcp", []string{"*"}, "L002e", ""},
		{"http://[::1]/", []string{"*"}, "L002e", ""},
		{"http://0.0.0.0/", []string{"*"}, "L002e", ""},
		{"http://localhost./", []string{"*"}, "L002e", ""},
		{"http://2130706433/", nil, "L016e", ""},
		{"http://u:p@search/", nil, "L002e", ""},
		{"file:///etc/passwd", nil, "L002e", ""},
		{"search:8080", nil, "L002e", ""},
		{"http://search/../x", nil, "L002e", ""},
		{"http://search/#x", nil, "L002e", ""},
		{"http://search:99999/", nil, "L002e", ""},
	}
	for _, tt := range tests {
		w := testWorld
		w.rules.AllowURLHosts = tt.allowed
		d := describe(running("a", aliased, labelled("mcp-gw.url", tt.url)), w, "")
		if codes(d.diagnostics) != tt.want || d.routable != (tt.want == "") {
			t.Errorf("%s: %+v", tt.url, d.diagnostics)
		}
		if d.routable && d.parts[0].backend.URL != tt.reached {
			t.Errorf("%s leads to %s, want %s", tt.url, d.parts[0].backend.URL, tt.reached)
		}
	}
	if d := describe(running("a", aliased, labelled("mcp-gw.url", "http://search/", "mcp-gw.port", "1")), testWorld, ""); codes(d.diagnostics) != "L015e" {
		t.Errorf("beside a port: %+v", d.diagnostics)
	}
}

// An image with labels of its own registers nothing that its user did not consent to.
func TestF48ImageLabels(t *testing.T) {
	baked := labelledNew("mcp-gw.name", "github", "mcp-gw.port", "8080")
	tests := []struct {
		name    string
		obs     observation
		rules   Rules
		verdict string
	}{
		{"elsewhere", running("a", baked, offNetwork), Rules{}, verdictNoSharedNetwork},
		{"on the network", running("a", baked), Rules{}, verdictRegistered},
		{"enable demanded", running("a", baked), Rules{RequireEnable: true}, verdictNotEnabled},
		{"enabled", running("a", baked, labelled("mcp-gw.enable", "true")), Rules{RequireEnable: true}, verdictRegistered},
		{"not enabled", running("a", baked, labelled("mcp-gw.enable", "false")), Rules{RequireEnable: true}, verdictDisabled},
		{"another image", running("a", baked), Rules{AllowImages: []string{"acme/*"}}, verdictNotAllowed},
		{"this image", running("a", baked), Rules{AllowImages: []string{"im*"}}, verdictRegistered},
		{"no project", running("a", baked), Rules{AllowProjects: []string{"shop"}}, verdictNotAllowed},
		{"the image's project", running("a", baked, labelled(labelComposeProject, "shop")), Rules{AllowProjects: []string{"shop"}}, verdictNotAllowed},
		{"another instance", running("a", baked, labelled("mcp-gw.instance", "prod,lab")), Rules{Instance: "dev"}, verdictOtherInstance},
		{"this instance", running("a", baked, labelled("mcp-gw.instance", "prod,lab")), Rules{Instance: "lab"}, verdictRegistered},
	}
	for _, tt := range tests {
		w := testWorld
		w.rules = tt.rules
		d := describe(tt.obs, w, "")
		if d.verdict != tt.verdict || d.reason == "" || !d.concerns {
			t.Errorf("%s: %s: %s", tt.name, d.verdict, d.reason)
		}
		if !d.routable && d.verdict != verdictDisabled && d.fix == "" {
			t.Errorf("%s: no fix", tt.name)
		}
	}
}

func TestSeveralBackends(t *testing.T) {
	several := func(kv ...string) observation {
		return running("a", labelledNew(append([]string{"mcp-gw.timeout.call", "5m", "mcp-gw.backends.search.port", "8080", "mcp-gw.backends.admin.port", "8081"}, kv...)...))
	}
	b := newBench()
	b.sees(several("mcp-gw.backends.admin.groups", "ops", "mcp-gw.backends.admin.timeout.call", "7s", "mcp-gw.headers.X-A", "v", "mcp-gw.backends.admin.headers.X-B", "w"))
	a := b.assemble(b.now)
	if len(a.set) != 2 || a.set[0].Name != "admin" || a.set[1].Name != "search" {
		t.Fatalf("%+v", a.set)
	}
	admin, search := a.set[0], a.set[1]
	if admin.URL != "http://10.0.0.2:8081/mcp" || admin.CallTimeout != 7*time.Second || len(admin.Groups) != 1 || len(admin.Headers) != 2 {
		t.Errorf("%+v", admin)
	}
	if search.URL != "http://10.0.0.2:8080/mcp" || search.CallTimeout != 5*time.Minute || search.Groups != nil || len(search.Headers) != 1 {
		t.Errorf("%+v", search)
	}
	if o := a.observed[0]; o.Backend != "admin" || len(o.Others) != 1 || o.Others[0].Backend != "search" || o.Others[0].Verdict != verdictRegistered {
		t.Errorf("%+v", o)
	}
	b.event("die", "a")
	b.expect(t, "died", "admin! search!")

	for _, tt := range []struct {
		name, set, codes string
		obs              observation
	}{
		{"one bad", "search", "L002e", several("mcp-gw.backends.admin.path", "x")},
		{"one off", "search", "", several("mcp-gw.backends.admin.enable", "false")},
		{"bad defaults", "", "L002e", several("mcp-gw.scheme", "x")},
		{"a name beside them", "", "L014e", several("mcp-gw.name", "x")},
		{"a name in one", "search", "L014e", several("mcp-gw.backends.admin.name", "x")},
		{"a bad name", "admin search", "L002e", several("mcp-gw.backends.a__b.port", "1")},
		{"an unknown key", "admin search", "L001w", several("mcp-gw.backends.admin.prot", "1")},
		{"no key", "admin search", "L001w", several("mcp-gw.backends.third", "1")},
	} {
		b := newBench()
		b.sees(tt.obs)
		b.expect(t, tt.name, tt.set)
		if got := codes(b.assemble(b.now).observed[0].Diagnostics); got != tt.codes {
			t.Errorf("%s: remarks %q, want %q", tt.name, got, tt.codes)
		}
	}

	// Another container has one of the names: the other backend stands.
	b = newBench()
	b.sees(running("b", labelled("mcp-gw.name", "admin")))
	b.sees(later(several(), testStart.Add(time.Second)))
	b.expect(t, "conflict", "admin search")
	for _, o := range b.assemble(b.now).observed {
		if o.ID == "a" && (o.Verdict != verdictConflict || o.Others[0].Verdict != verdictRegistered || codes(o.Diagnostics) != "L020e") {
			t.Errorf("%+v", o)
		}
	}
}

// Commands are started in containers only where whoever runs the gateway allows it, and
// then neither an open input nor the lack of a terminal is asked for.
func TestStartingCommandsIsNotForEverybody(t *testing.T) {
	o := running("a", labelled("mcp-gw.transport", "stdio", "mcp-gw.stdio.mode", "exec", "mcp-gw.stdio.command", `["srv"]`, "mcp-gw.stdio.session", "per-client"),
		func(o *observation) { o.tty = true })
	d := describe(o, testWorld, "")
	if bad, _ := firstError(d.diagnostics); d.routable || codes(d.diagnostics) != "L016e" || !strings.Contains(bad.Suggestion, "MCP_GW_ALLOW_EXEC=true") || d.reason != bad.Message {
		t.Errorf("not allowed: %+v", d.diagnostics)
	}
	allowing := testWorld
	allowing.rules.AllowExec = true
	if d := describe(o, allowing, ""); !d.routable || codes(d.diagnostics) != "" || !d.parts[0].backend.PerClient || d.parts[0].backend.Tuning.Init != execPatience {
		t.Errorf("allowed: %+v", d)
	}
	for name, tt := range map[string]struct{ key, value, codes string }{
		"no command":       {"mcp-gw.stdio.command", "", "L002e"},
		"attach, a client": {"mcp-gw.stdio.mode", "attach", "L015e S001e S002e"},
	} {
		o.labels = maps.Clone(o.labels)
		o.labels["mcp-gw.stdio.mode"], o.labels["mcp-gw.stdio.command"] = "exec", `["srv"]`
		o.labels[tt.key] = tt.value
		if d := describe(o, allowing, ""); d.routable || codes(d.diagnostics) != tt.codes {
			t.Errorf("%s: %+v, want %s", name, d.diagnostics, tt.codes)
		}
	}
}

// A command with a secret in it is not shown.
func TestCommandsWithSecretsAreNotShown(t *testing.T) {
	for value, hidden := range map[string]bool{
		`["npx","-y","srv","/data"]`: false, `["srv","--api-key","x1y2"]`: true, `["srv","--token=x1y2"]`: true, `["env","API_KEY=x1y2","srv"]`: true, `["srv","--token"]`: false,
	} {
		if got := show("stdio.command", value); (got == masked) != hidden {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
}

// An address with a secret in it is masked wherever it is told of, be it refused, taken or
// in the wrong place, and nothing is suggested that repeats it.
func TestAddressesWithSecretsAreMasked(t *testing.T) {
	for _, labels := range []map[string]string{
		{"mcp-gw.url": "http://alice:s3cret@search:8080/mcp"},
		{"mcp-gw.url": "http://alice:s3#cret@search:8080/mcp"},
		{"mcp-gw.url": "http://search:8080/mcp?api_key=s3cret"},
		{"mcp-gw.backends.a.url": "http://s3cret@search:8080/mcp"},
		{"mcp-gw.path": "/mcp?api_key=s3cret"},
		{"mcp-gw.path": "mcp?api_key=s3cret"},
		{"mcp-gw.path": "http://search/mcp?api_key=s3cret"},
		{"mcp-gw.pth": "/mcp?api_key=s3cret"},
		{"mcp-gw.ulr": "http://alice:s3cret@search:8080/mcp"},
		{"mcpgw.path": "/mcp?api_key=s3cret"},
		{"mcp-gw.tls.server-name": "https://alice:s3cret@search/mcp"},
		{"mcp-gw.transport": "http://alice:s3cret@search/mcp"},
	} {
		p := parseLabels("mcp-gw", labels)
		told := fmt.Sprintf("%+v", []any{p.shown, p.given, p.diagnostics})
		for _, s := range p.several {
			told += fmt.Sprintf("%+v", []any{s.given, s.diagnostics})
		}
		d := describe(running("a", func(o *observation) { o.labels = labels }), testWorld, "")
		told += d.reason + d.fix
		for _, part := range d.parts {
			told += fmt.Sprintf("%+v", []any{part.reason, part.fix, part.shown})
		}
		if !strings.Contains(told, "xxxxx") {
			t.Errorf("%v is not told of: %s", labels, told)
		}
		for _, secret := range []string{"s3cret", "s3#cret"} {
			if strings.Contains(told, secret) {
				t.Errorf("%v: %s", labels, told)
			}
		}
	}
	if p := parseLabels("mcp-gw", map[string]string{"mcp-gw.path": "/mcp?api_key=s3cret"}); p.path != "/mcp?api_key=s3cret" {
		t.Errorf("what is masked is not what is used: %q", p.path)
	}
}

// A letter that grows when it is made lower case must not shift the key.
func TestParseLabelsLettersThatGrow(t *testing.T) {
	p := parseLabels("mcp-gw", map[string]string{"mcp-gw.headers." + strings.Repeat("Ⱥ", 40): "v"})
	if codes(p.diagnostics) != "L002e" {
		t.Errorf("%+v", p.diagnostics)
	}
}
