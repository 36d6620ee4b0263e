package docker

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// codes are the codes of p's remarks with the first letter of their severity, sorted.
func codes(ds []discovery.Diagnostic) string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = d.Code + string(d.Severity[0])
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestParseLabelsValues(t *testing.T) {
	tests := []struct {
		key, value string
		want       string // remarks
		check      func(settings) bool
		fix        string // part of the first remark's suggestion
	}{
		{"enable", "true", "", func(s settings) bool { return s.enabled }, ""},
		{"enable", "FALSE", "", func(s settings) bool { return !s.enabled }, ""},
		{"enable", "0", "", func(s settings) bool { return !s.enabled }, ""},
		{"enable", "yes", "L002e", nil, "mcp-gw.enable=true"},
		{"enable", "off", "L002e", nil, "mcp-gw.enable=false"},
		{"enable", "", "L002e", nil, "mcp-gw.enable=true"},
		{"name", "github", "", func(s settings) bool { return s.name == "github" }, ""},
		{"name", "a", "", func(s settings) bool { return s.name == "a" }, ""},
		{"name", "My_Server", "L002e", nil, "mcp-gw.name=my-server"},
		{"name", "a__b", "L002e", nil, "mcp-gw.name=a-b"},
		{"name", "-a", "L002e", nil, "mcp-gw.name=a"},
		{"name", strings.Repeat("x", 33), "L002e", nil, strings.Repeat("x", 32)},
		{"name", "gateway", "L002e", nil, ""},
		{"name", "self", "L002e", nil, ""},
		{"port", "8080", "", func(s settings) bool { return s.port == 8080 }, ""},
		{"port", " 8080 ", "", func(s settings) bool { return s.port == 8080 }, ""},
		{"port", "8080/tcp", "L002e", nil, "mcp-gw.port=8080"},
		{"port", "3001:8080", "L002e", nil, "mcp-gw.port=8080"},
		{"port", "0", "L002e", nil, ""},
		{"port", "65536", "L002e", nil, ""},
		{"port", "http", "L002e", nil, ""},
		{"path", "/mcp", "", func(s settings) bool { return s.path == "/mcp" }, ""},
		{"path", "/a/b?x=1", "", func(s settings) bool { return s.path == "/a/b?x=1" }, ""},
		{"path", "mcp", "L002e", nil, "mcp-gw.path=/mcp"},
		{"path", "http://h:1/x/y", "L002e", nil, "mcp-gw.path=/x/y"},
		{"path", "/../x", "L002e", nil, ""},
		{"path", "/%2e%2e/x", "L002e", nil, ""},
		{"path", "//evil.example/x", "L002e", nil, ""},
		{"path", "/a b", "L002e", nil, ""},
		{"path", "/a\r\nHost: x", "L002e", nil, ""},
		{"path", "/a#b", "L002e", nil, ""},
		{"path", "/a%zz", "L002e", nil, ""},
		{"path", "/" + strings.Repeat("x", maxPath), "L002e", nil, ""},
		{"scheme", "https", "", func(s settings) bool { return s.scheme == "https" }, ""},
		{"scheme", "htps", "L002e", nil, "mcp-gw.scheme=https"},
		{"transport", "sse", "", func(s settings) bool { return s.transport == discovery.TransportSSE }, ""},
		{"transport", "HTTP", "", func(s settings) bool { return s.transport == discovery.TransportHTTP }, ""},
		{"transport", "streamable-http", "L007i", func(s settings) bool { return s.transport == discovery.TransportHTTP }, ""},
		{"transport", "streamablehttp", "L007i", func(s settings) bool { return s.transport == discovery.TransportHTTP }, ""},
		{"transport", "stdio", "", func(s settings) bool { return s.transport == discovery.TransportStdio }, ""},
		{"transport", "ssse", "L002e", nil, "mcp-gw.transport=sse"},
		{"headers.x-tenant", "acme", "", func(s settings) bool { return maps.Equal(s.headers, map[string]string{"X-Tenant": "acme"}) }, ""},
		{"headers.X-Tenant", "acme", "", func(s settings) bool { return s.headers["X-Tenant"] == "acme" }, ""},
		{"headers.Authorization", "Bearer abcdefghijkl", "L003w", func(s settings) bool { return s.headers["Authorization"] != "" }, ""},
		{"headers.X-Api-Key", "k", "L003w", func(s settings) bool { return s.headers["X-Api-Key"] == "k" }, ""},
		{"headers.X-Plain", "ghp_0123456789abcdef", "L003w", nil, ""},
		{"headers.Mcp-Session-Id", "x", "L002e", nil, ""},
		{"headers.Host", "x", "L002e", nil, ""},
		{"headers.a b", "x", "L002e", nil, ""},
		{"headers.X-Y", "a\r\nb: c", "L002e", nil, ""},
		{"headers.", "x", "L001w", nil, ""},
		{"headers", "x", "L001w", nil, "mcp-gw.headers.<Name>"},
		{"timeout.call", "5m", "", func(s settings) bool { return s.callTimeout == 5*time.Minute }, ""},
		{"timeout.call", "30", "L002w", func(s settings) bool { return s.callTimeout == 0 }, "mcp-gw.timeout.call=30s"},
		{"timeout.call", "5 minutes", "L002w", func(s settings) bool { return s.callTimeout == 0 }, ""},
		{"timeout.call", "1ms", "L002w", nil, ""},
		{"timeout.call", "2h", "L002w", nil, ""},
		{"timeout.call", "-5s", "L002w", nil, ""},
		{"name", strings.Repeat("a", maxLabelValue+1), "L002e", nil, ""},
		{"groups", "ops", "", func(s settings) bool { return slices.Equal(s.groups, []string{"ops"}) }, ""},
		{"groups", " ops, dev,,ops ,", "", func(s settings) bool { return slices.Equal(s.groups, []string{"dev", "ops"}) }, ""},
		{"groups", numbered(discovery.MaxGroups), "", func(s settings) bool { return len(s.groups) == discovery.MaxGroups }, ""},
		{"groups", numbered(discovery.MaxGroups + 1), "L002e", func(s settings) bool { return s.groups == nil }, ""},
		{"groups", "dev,Ops Team", "L002e", func(s settings) bool { return s.groups == nil }, "mcp-gw.groups=dev,ops-team"},
		{"groups", "dev,__", "L002e", nil, "mcp-gw.groups=dev"},
		{"groups", "self", "L002e", nil, "mcp-gw.groups=dev,ops"},
		{"groups", "", "L002e", nil, "mcp-gw.groups=dev,ops"},
		{"groups", " , ", "L002e", nil, ""},
		{"tls.verify", "false", "", func(s settings) bool { return s.tls == discovery.TLS{SkipVerify: true} }, ""},
		{"tls.verify", "TRUE", "", func(s settings) bool { return s.tls == discovery.TLS{} }, ""},
		{"tls.verify", "no", "L002e", func(s settings) bool { return !s.tls.SkipVerify }, "mcp-gw.tls.verify=false"},
		{"tls.verify", "fasle", "L002e", func(s settings) bool { return !s.tls.SkipVerify }, ""},
		{"tls.server-name", "Search_1.internal", "", func(s settings) bool { return s.tls.ServerName == "search_1.internal" }, ""},
		{"tls.server-name", "10.0.0.2", "", func(s settings) bool { return s.tls.ServerName == "10.0.0.2" }, ""},
		{"tls.server-name", "https://search.internal:8443/mcp", "L002e", nil, "mcp-gw.tls.server-name=search.internal"},
		{"tls.server-name", "search.internal:8443", "L002e", nil, "mcp-gw.tls.server-name=search.internal"},
		{"tls.server-name", "search.internal.", "L002e", nil, "mcp-gw.tls.server-name=search.internal"},
		{"tls.server-name", "*.internal", "L002e", nil, ""},
		{"tls.server-name", "-a", "L002e", nil, ""},
		{"tls.server-name", "", "L002e", nil, ""},
		{"tls.server-name", strings.Repeat("a.", 127), "L002e", nil, ""},
		{"tls.ca", "/certs/ca.pem", "", func(s settings) bool { return s.tls.CAFile == "/certs/ca.pem" }, ""},
		{"tls.ca", "ca.pem", "L002e", nil, "mcp-gw.tls.ca=/certs/ca.pem"},
		{"tls.ca", "/certs/../etc/shadow", "L002e", nil, ""},
		{"tls.ca", "/dev/zero", "L002e", nil, ""},
		{"tls.ca", "/proc/self/environ", "L002e", nil, ""},
		{"tls.ca", "/a\nb", "L002e", nil, ""},
		{"tls.ca", "/" + strings.Repeat("a", 1024), "L002e", nil, ""},
		{"tls.insecure", "true", "L001w", nil, "mcp-gw.tls.verify=false"},
		{"tls.servername", "x", "L001w", nil, "mcp-gw.tls.server-name"},
		{"group", "x", "L001w", nil, "mcp-gw.groups"},

		{"transprot", "http", "L001w", nil, "mcp-gw.transport=http"},
		{"prot", "1", "L001w", nil, "mcp-gw.port"},
		{"enabled", "true", "L001w", nil, "mcp-gw.enable"},
		{"endpoint", "/x", "L001w", nil, "mcp-gw.path"},
		{"timout.call", "5s", "L001w", nil, "mcp-gw.timeout.call=5s"},
		{"timout.call", "5", "L001w", nil, "mcp-gw.timeout.call=5s"}, // the value is mended too
		{"host", "search", "L001w", nil, "mcp-gw.url=http"},
		{"token", "0123456789", "L001w L003w", nil, "mcp-gw.auth.secret=<secret name>, with the secret in a file of that name in the gateway's MCP_GW_SECRETS_DIR"},
		{"headers.Authorization", "x", "L003w", nil, "mcp-gw.secret-headers.Authorization=<secret name>"},
		{"tools.renam.a", "b", "L001w", nil, "mcp-gw.tools.rename.a=b"},
		{"header.X-A", "b", "L001w", nil, "mcp-gw.headers.X-A=<value>"},
		{"haeders.X-A", "b", "L001w", nil, "mcp-gw.headers.X-A=<value>"},
		{"tools.exlude", "x", "L001w", nil, "mcp-gw.tools.exclude"},
		{"env", "A=B", "L001w", nil, "on the container itself"},
		{"disable", "true", "L001w", nil, "mcp-gw.enable=false"},
		{"colour", "red", "L001w", nil, ""},
		{"api_token", "s3cr3t", "L001w L003w", nil, ""},

		{"Port", "8080", "L006w", func(s settings) bool { return s.port == 8080 }, "mcp-gw.port"},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+clip(tt.value), func(t *testing.T) {
			p := parseLabels("mcp-gw", map[string]string{"mcp-gw." + tt.key: tt.value, "foreign": "x"})
			if !p.labelled {
				t.Error("not labelled")
			}
			if got := codes(p.diagnostics); got != tt.want {
				t.Errorf("remarks %q, want %q: %+v", got, tt.want, p.diagnostics)
			}
			if tt.check != nil && !tt.check(p.settings) {
				t.Errorf("settings %+v", p.settings)
			}
			if tt.fix != "" && (len(p.diagnostics) == 0 || !strings.Contains(p.diagnostics[0].Suggestion, tt.fix)) {
				t.Errorf("suggestion of %+v, want %q in it", p.diagnostics, tt.fix)
			}
			if tt.fix == "" && tt.want == "L001w" && p.diagnostics[0].Suggestion != "" {
				t.Errorf("a far-fetched suggestion: %q", p.diagnostics[0].Suggestion)
			}
		})
	}
}

// numbered is a list of n groups.
func numbered(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "g" + strconv.Itoa(i)
	}
	return strings.Join(names, ",")
}

func TestParseLabelsPrefix(t *testing.T) {
	tests := []struct {
		key      string
		labelled bool
		want     string // the right key, when it is a near miss
	}{
		{"mcp-gw.port", true, ""},
		{"MCP-GW.port", true, ""},
		{"mcpgw.port", false, "mcp-gw.port"},
		{"mcpgw.prot", false, "mcp-gw.port"}, // both are wrong
		{"mcpgw.backends.x.prot", false, "mcp-gw.backends.x.port"},
		{"mcp_gw.port", false, "mcp-gw.port"},
		{"mcp.gw.port", false, "mcp-gw.port"},
		{"mcp-gateway.port", false, "mcp-gw.port"},
		{"MCPGateway.port", false, "mcp-gw.port"},
		{"mcp-gw-port", false, "mcp-gw.port"},
		{"mcp-gw/port", false, "mcp-gw.port"},
		{"mcp-gw_enable", false, "mcp-gw.enable"},
		{"mcp-gw", false, "mcp-gw.enable"},
		{"mpc-gw.port", false, "mcp-gw.port"},
		{"mcp-go.port", false, "mcp-gw.port"},
		{"mcp-go.version", false, ""}, // somebody else's
		{"mcpgwx", false, ""},
		{"docker-mcp-name", false, ""},
		{"io.modelcontextprotocol.server.name", false, ""},
		{"traefik.enable", false, ""},
		{"", false, ""},
	}
	value := func(key string) string { // 8080, or one that is good for the key
		if key == "mcp-gw.enable" {
			return "=true"
		}
		return "=8080"
	}
	for _, tt := range tests {
		p := parseLabels("mcp-gw", map[string]string{tt.key: "8080"})
		if p.labelled != tt.labelled || p.nearMiss != (tt.want != "") {
			t.Errorf("%q: labelled %v, near miss %v; want %v, %v", tt.key, p.labelled, p.nearMiss, tt.labelled, tt.want != "")
		}
		if tt.want != "" && (codes(p.diagnostics) != "L005w" || p.diagnostics[0].Suggestion != tt.want+value(tt.want)) {
			t.Errorf("%q: %+v, want suggestion %q", tt.key, p.diagnostics, tt.want)
		}
	}
	if p := parseLabels("acme", map[string]string{"mcp-gw.port": "1", "acme.port": "2"}); p.port != 2 {
		t.Errorf("another prefix: port %d, want 2", p.port)
	}
}

func TestParseLabelsTogether(t *testing.T) {
	twice := parseLabels("mcp-gw", map[string]string{"mcp-gw.port": "1", "MCP-GW.port": "2"})
	if got := codes(twice.diagnostics); got != "L006w L008e" {
		t.Errorf("contradicting labels: %q", got)
	}
	many := map[string]string{}
	for i := range maxLabels + 1 {
		many["mcp-gw.headers.X-"+strings.Repeat("a", i+1)] = "v"
	}
	if got := codes(parseLabels("mcp-gw", many).diagnostics); got != "L009e" {
		t.Errorf("too many labels: %q", got)
	}
	misspelt := map[string]string{}
	for key, value := range many {
		misspelt["mcpgw"+key[len("mcp-gw"):]] = value
	}
	if p := parseLabels("mcp-gw", misspelt); len(p.diagnostics) != maxLabels+1 || p.diagnostics[maxLabels].Code != "L009" {
		t.Errorf("too many misspelt labels: %d remarks", len(p.diagnostics))
	}
}

// No secret of a label may be in anything that is shown.
func TestParseLabelsMasks(t *testing.T) {
	const secret = "ghp_0123456789abcdef"
	for _, key := range []string{"headers.Authorization", "headers.X-Plain", "headers.bad name", "port", "path", "name", "enable", "colour", "auth.token", "title", "groups", "haeders.X-Plain", "token", "prot", "auth.secret", "secret-headers.X-A", "tls.verify", "tls.server-name", "tls.ca"} {
		p := parseLabels("mcp-gw", map[string]string{"mcp-gw." + key: secret, "mcpgw." + key: secret})
		for _, d := range p.diagnostics {
			for what, s := range map[string]string{"value": d.Value, "message": d.Message, "suggestion": d.Suggestion} {
				if strings.Contains(strings.ToLower(s), "0123456789abcdef") {
					t.Errorf("%s: the %s of %s shows the secret: %q", key, what, d.Code, s)
				}
			}
		}
		for k, v := range p.shown {
			if strings.Contains(v, "0123456789abcdef") {
				t.Errorf("%s: label %s is shown as %q", key, k, v)
			}
		}
	}
}

func FuzzParseLabels(f *testing.F) {
	for _, seed := range []string{"mcp-gw.port", "mcp-gw.headers.X-A", "MCP-GW.Transport", "mcp-gw.groups", "mcp-gw.tls.server-name", "mcpgw.port", "mcp-gw", "mcp-gw.tools.exclude",
		"mcp-gw.url", "mcp-gw.tools.rename.X", "mcp-gw.secret-headers.X-A", "mcp-gw.auth.secret", "mcp-gw.stdio.command", "mcp-gw.depends-on", "mcp-gw.backends.x.port", "mcp-gw.backends.x.headers.X-A"} {
		f.Add(seed, "8080")
		f.Add(seed, "/a?b=c")
		f.Add(seed, "Bearer 0123456789")
		f.Add(seed, "https://a.b:1/c,d")
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		p := parseLabels("mcp-gw", map[string]string{key: value, "mcp-gw.enable": "true"})
		if !p.labelled {
			t.Fatal("not labelled")
		}
		if p.port < 0 || p.port > 65535 {
			t.Fatalf("port %d", p.port)
		}
		if p.name != "" && discovery.CheckName(p.name) != nil {
			t.Fatalf("name %q", p.name)
		}
		if p.path != "" && (!strings.HasPrefix(p.path, "/") || strings.ContainsAny(p.path, " \r\n#\\")) {
			t.Fatalf("path %q", p.path)
		}
		for _, g := range p.groups {
			if discovery.CheckName(g) != nil {
				t.Fatalf("group %q", g)
			}
		}
		if n := p.tls.ServerName; n != "" && discovery.CheckServerName(n) != nil {
			t.Fatalf("server name %q", n)
		}
		for k, v := range p.headers {
			if strings.ContainsAny(k+v, "\r\n\x00") {
				t.Fatalf("header %q: %q", k, v)
			}
		}
		all := p.diagnostics
		for _, s := range p.several {
			all = append(all, s.diagnostics...)
			if s.port < 0 || s.port > 65535 || s.weight < 0 || s.weight > 100 {
				t.Fatalf("settings %+v", s.settings)
			}
		}
		for _, s := range append(p.several, p.spec) {
			if s.url != "" && setURLHost(s.url) != nil {
				t.Fatalf("url %q", s.url)
			}
			for h, name := range s.secretHeaders {
				if !secretName.MatchString(name) || strings.ContainsAny(h, "\r\n:") {
					t.Fatalf("secret header %q=%q", h, name)
				}
			}
		}
		describe(running("a", labelled(key, value)), testWorld, "")
		for _, d := range all {
			if d.Code == "" || d.Message == "" || len(d.Message) > 2000 {
				t.Fatalf("diagnostic %+v", d)
			}
		}
		if rest, ok := strings.CutPrefix(strings.ToLower(key), "mcp-gw.headers."); ok && len(value) > 20 && rest != "" {
			for k, v := range p.shown {
				if strings.Contains(v, value) {
					t.Fatalf("label %s shows the value of a header", k)
				}
			}
		}
	})
}

func setURLHost(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	return checkURLHost(u.Hostname())
}
