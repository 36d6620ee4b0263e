package manual

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// Masked stands for a header's value wherever registrations are shown. Sent back
// in a registration it means the value that is registered already.
const Masked = "***"

// maxName bounds a name: clients cut tool names off at 64 or 128 characters, and
// the backend's name is only the beginning of one.
const maxName = 128

// Registration is one backend that a person asked for.
type Registration struct {
	Name      string
	URL       string
	Transport discovery.Transport // http or sse
	Headers   map[string]string   // the values are secrets
	Enabled   bool
	Groups    []string
	TLS       discovery.TLS
}

// TLS is discovery.TLS as people write it, in the file and to the REST API.
type TLS struct {
	Verify     *bool  `json:"verify,omitempty"` // true when it is not there
	ServerName string `json:"serverName,omitempty"`
	CA         string `json:"ca,omitempty"`
}

// Settings are what t means.
func (t TLS) Settings() discovery.TLS {
	return discovery.TLS{SkipVerify: t.Verify != nil && !*t.Verify, ServerName: strings.ToLower(t.ServerName), CAFile: t.CA}
}

func writtenTLS(t discovery.TLS) TLS {
	w := TLS{ServerName: t.ServerName, CA: t.CAFile}
	if t.SkipVerify {
		w.Verify = new(bool)
	}
	return w
}

// InvalidError says what is wrong with a registration, in words for the person
// who sent it.
type InvalidError struct {
	Field   string
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Message: fmt.Sprintf(format, args...)}
}

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9\-_]*$`)
	headerPattern = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// Validate returns an *InvalidError for the first rule that r breaks. Scripts
// know the order and the words of the first three.
func (r Registration) Validate() error {
	if r.Name == "" || r.URL == "" || r.Transport == "" {
		return invalid("name", "name, url, transport are required")
	}
	if !namePattern.MatchString(r.Name) {
		return invalid("name", "name must be lowercase alphanumeric/dash/underscore")
	}
	if r.Transport != discovery.TransportHTTP && r.Transport != discovery.TransportSSE {
		return invalid("transport", "transport must be http or sse")
	}
	if strings.Contains(r.Name, "__") {
		return invalid("name", `name %q must not contain "__", which stands between a backend's name and a tool's`, r.Name)
	}
	if len(r.Name) > maxName {
		return invalid("name", "name has %d characters, and may have %d", len(r.Name), maxName)
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return invalid("url", "url %q must be absolute, http or https, as in http://10.0.0.5:8080/mcp", discovery.ShowURL(r.URL))
	}
	if err := validateHeaders(r.Headers); err != nil {
		return err
	}
	if err := validateGroups(r.Groups); err != nil {
		return err
	}
	return validateTLS(r.TLS, u.Scheme)
}

func validateGroups(groups []string) error {
	for _, g := range groups {
		if err := discovery.CheckName(g); err != nil {
			return invalid("groups", "groups: %.40q %v", g, err)
		}
	}
	if n := len(groups); n > discovery.MaxGroups {
		return invalid("groups", "groups has %d names, and may have %d", n, discovery.MaxGroups)
	}
	return nil
}

// validateTLS refuses what could have no effect too: somebody is there to be told,
// and means something by it.
func validateTLS(t discovery.TLS, scheme string) error {
	if t.ServerName != "" {
		if err := discovery.CheckServerName(t.ServerName); err != nil {
			return invalid("tls", "tls.serverName %.80q %v", t.ServerName, err)
		}
	}
	if t.CAFile != "" {
		if err := discovery.CheckCAFile(t.CAFile); err != nil {
			return invalid("tls", "tls.ca %.80q %v", t.CAFile, err)
		}
	}
	if setting, why := t.Idle(scheme); setting != "" {
		return invalid("tls", "tls.%s has no effect, because %s: leave it out", strings.Replace(setting, "server-name", "serverName", 1), why)
	}
	return nil
}

func validateHeaders(headers map[string]string) error {
	seen := map[string]bool{}
	for name, value := range headers {
		if !headerPattern.MatchString(name) {
			return invalid("headers", "headers: %q cannot be the name of a header", name)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return invalid("headers", "headers.%s has a control character or a line break in its value", name)
		}
		if lower := strings.ToLower(name); seen[lower] {
			return invalid("headers", "headers.%s is there twice, in different case", name)
		} else {
			seen[lower] = true
		}
	}
	return nil
}

// unmask puts the values that old has in the place of masked ones, those of the url
// too. It refuses to send them to another host, or to whoever another certificate lets
// in: who may replace a registration need not know its secrets, and must not learn them
// that way.
func (r *Registration) unmask(old Registration) error {
	switch {
	case r.URL == old.URL:
	case r.URL == discovery.ShowURL(old.URL): // as it was shown
		if r.TLS != old.TLS {
			return invalid("url", "url has masked values, and tls says something else now of who may read them: give the values themselves")
		}
		r.URL = old.URL
	case discovery.HasMask(r.URL):
		return invalid("url", "url %q has a masked value, and is not the address that is registered already: give the value itself", r.URL)
	}
	headers := maps.Clone(r.Headers)
	for name, value := range r.Headers {
		if value != Masked {
			continue
		}
		kept, found := lookupHeader(old.Headers, name)
		if !found {
			return invalid("headers", "headers.%s is %q, which stands for a value that is registered already, and there is none", name, Masked)
		}
		if !sameOrigin(r.URL, old.URL) {
			return invalid("headers", "headers.%s is %q, and the url leads to another host now: give the value itself", name, Masked)
		}
		if r.TLS != old.TLS {
			return invalid("headers", "headers.%s is %q, and tls says something else now of who may read it: give the value itself", name, Masked)
		}
		headers[name] = kept
	}
	r.Headers = headers
	return nil
}

// Unmasked answers r with the values that old has in the place of masked ones, or an
// *InvalidError where those must not go.
func (r Registration) Unmasked(old Registration) (Registration, error) {
	r = r.clone()
	return r, r.unmask(old)
}

func lookupHeader(headers map[string]string, name string) (string, bool) {
	for k, v := range headers {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

func sameOrigin(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Scheme == ub.Scheme && strings.EqualFold(ua.Host, ub.Host)
}

// Equal reports whether r and o ask for the same.
func (r Registration) Equal(o Registration) bool {
	return r.Name == o.Name && r.URL == o.URL && r.Transport == o.Transport &&
		r.Enabled == o.Enabled && maps.Equal(r.Headers, o.Headers) &&
		r.TLS == o.TLS && slices.Equal(discovery.Groups(r.Groups), discovery.Groups(o.Groups))
}

func (r Registration) clone() Registration {
	r.Headers, r.Groups = maps.Clone(r.Headers), slices.Clone(r.Groups)
	return r
}

// Backend is what r asks for.
func (r Registration) Backend() discovery.Backend {
	return discovery.Backend{
		Name:      r.Name,
		Source:    discovery.SourceManual,
		URL:       r.URL,
		Transport: r.Transport,
		Headers:   maps.Clone(r.Headers),
		Disabled:  !r.Enabled,
		Groups:    discovery.Groups(r.Groups),
		TLS:       r.TLS,
	}
}
