package manual

import (
	"strconv"
	"strings"
	"testing"

	"mcp-gw/discovery"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct{ name, url, transport, want string }{
		{"a", "http://h/mcp", "http", ""},
		{"a-b_c9", "https://user:pw@[::1]:80/sse?x=1", "sse", ""},
		{"", "u", "t", "name, url, transport are required"},
		{"a", "", "http", "name, url, transport are required"},
		{"A", "u", "", "name, url, transport are required"},
		{"A", "u", "t", "name must be lowercase alphanumeric/dash/underscore"},
		{"-a", "u", "t", "name must be lowercase alphanumeric/dash/underscore"},
		{"a\n", "u", "t", "name must be lowercase alphanumeric/dash/underscore"},
		{"a__b", "u", "auto", "transport must be http or sse"},
		{"a", "u", "stdio", "transport must be http or sse"},
		{"a__b", "u", "http", `name "a__b" must not contain "__", which stands between a backend's name and a tool's`},
		{strings.Repeat("a", 129), "http://h", "http", "name has 129 characters, and may have 128"},
		{"a", "h:8080/mcp", "http", `url "h:8080/mcp" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{"a", "/mcp", "http", `url "/mcp" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{"a", "http:///mcp", "http", `url "http:///mcp" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{"a", "http://:80", "http", `url "http://:80" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{"a", "ftp://u:secret@h", "http", `url "ftp://u:xxxxx@h" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
		{"a", "http://alice:hunter#2@host/mcp", "http", `url "http://xxxxx@host/mcp" must be absolute, http or https, as in http://10.0.0.5:8080/mcp`},
	} {
		err := Registration{Name: c.name, URL: c.url, Transport: discovery.Transport(c.transport)}.Validate()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.name, c.url, c.transport, got, c.want)
		}
	}
}

func TestValidateHeaders(t *testing.T) {
	for _, c := range []struct {
		headers map[string]string
		want    string
	}{
		{map[string]string{"Authorization": "Bearer x", "X-Ümlaut": ""}, `headers: "X-Ümlaut" cannot be the name of a header`},
		{map[string]string{"": "x"}, `headers: "" cannot be the name of a header`},
		{map[string]string{"X-A": "secret\r\nEvil: 1"}, "headers.X-A has a control character or a line break in its value"},
		{map[string]string{"X-A": "tab\tand é are fine"}, ""},
	} {
		got := ""
		if err := validateHeaders(c.headers); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: got %q, want %q", c.headers, got, c.want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("the message has the secret: %s", got)
		}
	}
	if err := validateHeaders(map[string]string{"X-A": "1", "x-a": "2"}); err == nil {
		t.Error("a header twice was taken")
	}
}

func TestValidateGroupsAndTLS(t *testing.T) {
	many := make([]string, discovery.MaxGroups+1)
	for i := range many {
		many[i] = "g" + strconv.Itoa(i)
	}
	const https, plain = "https://h/mcp", "http://h/mcp"
	for _, c := range []struct {
		url    string
		groups []string
		tls    discovery.TLS
		want   string
	}{
		{https, []string{"dev", "ops", "dev"}, discovery.TLS{ServerName: "a.b", CAFile: "/certs/ca.pem"}, ""},
		{https, many[1:], discovery.TLS{SkipVerify: true, ServerName: "a.b"}, ""},
		{plain, nil, discovery.TLS{}, ""},
		{plain, many, discovery.TLS{}, "groups has 17 names, and may have 16"},
		{plain, []string{""}, discovery.TLS{}, `groups: "" is not a name: 1 to 32 characters of a-z, 0-9 and -, no - at either end`},
		{plain, []string{"a_b"}, discovery.TLS{}, `groups: "a_b" is not a name: 1 to 32 characters of a-z, 0-9 and -, no - at either end`},
		{https, nil, discovery.TLS{ServerName: "*.b"}, `tls.serverName "*.b" is not a host name such as search.internal, without scheme and port`},
		{https, nil, discovery.TLS{CAFile: "/dev/zero"}, `tls.ca "/dev/zero" is in a directory of devices, not of files`},
		{plain, nil, discovery.TLS{ServerName: "a"}, "tls.serverName has no effect, because the scheme is http: leave it out"},
		{plain, nil, discovery.TLS{CAFile: "/ca.pem"}, "tls.ca has no effect, because the scheme is http: leave it out"},
		{https, nil, discovery.TLS{CAFile: "/ca.pem", SkipVerify: true}, "tls.ca has no effect, because certificates are not checked: leave it out"},
		{"HTTPS://h", nil, discovery.TLS{SkipVerify: true}, ""},
	} {
		got := ""
		if err := (Registration{Name: "a", URL: c.url, Transport: "http", Groups: c.groups, TLS: c.tls}).Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %v %+v: got %q, want %q", c.url, c.groups, c.tls, got, c.want)
		}
	}
}

// What is masked must not be had by letting another server in.
func TestMaskedValuesStayWithTheirCertificate(t *testing.T) {
	old := Registration{Name: "a", URL: "https://h", Transport: "http", Headers: map[string]string{"X": "secret"}, TLS: discovery.TLS{CAFile: "/ca.pem"}}
	same := old.clone()
	same.Headers = map[string]string{"X": Masked}
	if err := same.unmask(old); err != nil || same.Headers["X"] != "secret" {
		t.Errorf("the same certificate: %v, %v", same.Headers, err)
	}
	for _, other := range []discovery.TLS{{}, {SkipVerify: true}, {CAFile: "/other.pem"}, {CAFile: "/ca.pem", ServerName: "b"}} {
		r := old.clone()
		r.Headers, r.TLS = map[string]string{"X": Masked}, other
		if err := r.unmask(old); err == nil || r.Headers["X"] != Masked {
			t.Errorf("%+v: %v, %v", other, r.Headers, err)
		}
	}
}

// An address comes back as it was shown.
func TestAMaskedAddressIsTheOldOne(t *testing.T) {
	old := Registration{Name: "a", URL: "https://h/mcp?exaApiKey=secret", Transport: "http"}
	r := Registration{Name: "a", URL: "https://h/mcp?exaApiKey=xxxxx", Transport: "http"}
	if err := r.unmask(old); err != nil || r.URL != old.URL {
		t.Errorf("%s, %v", r.URL, err)
	}
	r.URL, r.TLS = "https://h/mcp?exaApiKey=xxxxx", discovery.TLS{SkipVerify: true}
	if err := r.unmask(old); err == nil || r.URL == old.URL {
		t.Errorf("who lets another server in has the secret: %s, %v", r.URL, err)
	}
	for _, other := range []string{"https://h/other?exaApiKey=xxxxx", "https://bob:xxxxx@h/mcp", "https://xxxxx@h/mcp"} {
		r.URL, r.TLS = other, discovery.TLS{}
		if err := r.unmask(old); err == nil || !strings.Contains(err.Error(), "masked") {
			t.Errorf("another address, whose secret would be lost: %s, %v", r.URL, err)
		}
		if err := r.unmask(Registration{URL: other}); err != nil || r.URL != other {
			t.Errorf("the same address: %s, %v", r.URL, err)
		}
	}
}
