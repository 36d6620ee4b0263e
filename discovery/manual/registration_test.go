package manual

import (
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
