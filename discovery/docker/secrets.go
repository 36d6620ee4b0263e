package docker

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultSecretsDir is where compose and swarm put secrets.
const DefaultSecretsDir = "/run/secrets"

const maxSecret = 16 << 10 // bytes; a header that is longer no server takes

// secret is what the file of one secret came to. Its value reaches headers, and
// nothing else.
type secret struct {
	value   string
	missing bool
	problem string // why it cannot be used; without the value
}

// readSecrets reads the secrets with these names.
func readSecrets(dir string, names map[string]bool) map[string]secret {
	out := make(map[string]secret, len(names))
	for name := range names {
		out[name] = readSecret(dir, name)
	}
	return out
}

func readSecret(dir, name string) secret {
	file := filepath.Join(dir, name) // secretName has no slash, and does not begin with a dot
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return secret{missing: true}
	case err != nil:
		return secret{problem: "cannot be read: " + cause(err)}
	case !info.Mode().IsRegular(): // a pipe may keep its reader waiting for ever
		return secret{problem: "is not a file"}
	}
	f, err := os.Open(file)
	if err != nil {
		return secret{problem: "cannot be read: " + cause(err)}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return secret{problem: "cannot be read: " + cause(err)}
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case len(b) > maxSecret:
		return secret{problem: fmt.Sprintf("is longer than %d bytes", maxSecret)}
	case value == "":
		return secret{problem: "is empty"}
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return secret{problem: "has a line break or another control character in it"}
	}
	return secret{value: value}
}

// cause is an error of a file without the file.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// secretsOf collects the names of the secrets that labels ask for.
func secretsOf(prefix string, labels map[string]string, into map[string]bool) {
	for key, value := range labels {
		rest, ok := cutPrefixFold(key, prefix+".")
		if !ok {
			continue
		}
		rest = lowerASCII(rest)
		if _, key, several := cutBackend(rest); several {
			rest = key
		}
		if value = strings.TrimSpace(value); namesSecret(rest) && secretName.MatchString(value) && len(into) < maxLabels*maxBackends {
			into[value] = true
		}
	}
}

// unlock adds the headers that are made of secrets. A secret that was not granted,
// is missing or cannot be used keeps the backend out.
func (s *spec) unlock(w world, o observation, backend string) {
	headers := maps.Clone(s.headers)
	if headers == nil {
		headers = map[string]string{}
	}
	if s.auth != "" && s.auth != authNone && s.authSecret != "" {
		if value, ok := s.open(w, o, backend, "auth.secret", s.authSecret); ok {
			switch s.auth {
			case authBearer:
				headers["Authorization"] = "Bearer " + value
			case authHeader:
				headers["Authorization"] = value
			case authBasic:
				if !strings.Contains(value, ":") {
					s.fail(codeBadSecret, s.prefix+".auth.secret", "the secret has no colon, and basic wants user:password; not registered", "write user:password into its file")
					break
				}
				headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(value))
			}
		}
	}
	for _, h := range slices.Sorted(maps.Keys(s.secretHeaders)) {
		if value, ok := s.open(w, o, backend, "secret-headers."+h, s.secretHeaders[h]); ok {
			headers[h] = value
		}
	}
	if len(headers) > 0 {
		s.headers = headers
	}
}

// open answers the value of a granted secret.
func (s *spec) open(w world, o observation, backend, key, name string) (string, bool) {
	label := s.prefix + "." + key
	// A name that looks like a secret may be one, written in the wrong place.
	called, file := "the secret "+name, name
	if show(key, name) == masked {
		called, file = "the secret that it names", "<secret name>"
	}
	dir := w.rules.SecretsDir
	if dir == "" {
		dir = DefaultSecretsDir
	}
	if !w.granted(o, backend, name) {
		s.fail(codeNotGranted, label, fmt.Sprintf("%s: %s is not granted to %q; not registered", label, called, backend),
			fmt.Sprintf("MCP_GW_SECRET_GRANTS=%s:%s on the gateway", file, backend))
		return "", false
	}
	switch found := w.secrets[name]; {
	case found.problem != "":
		s.fail(codeBadSecret, label, fmt.Sprintf("%s: the file of %s %s; not registered", label, called, found.problem), "mend "+filepath.Join(dir, file))
	case found.missing || found.value == "":
		s.fail(codeNoSecret, label, fmt.Sprintf("%s: %s has no file in %s; not registered", label, called, dir), "create "+filepath.Join(dir, file)+" on the gateway")
	default:
		return found.value, true
	}
	return "", false
}

// granted reports whether a container may have a secret: by a grant, or because it
// belongs to the gateway's own compose project.
func (w world) granted(o observation, backend, name string) bool {
	project, service := composeOf(o.labels)
	if project != "" && project == w.selfProject {
		return true
	}
	return slices.ContainsFunc(w.rules.SecretGrants[name], func(who string) bool {
		return who == backend || project != "" && who == project+"/"+service
	})
}
