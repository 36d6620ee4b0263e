package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// diagnose says what is wrong: a stable code, and a text whose first sentence names
// the trouble and whose second what to do.
func (o outage) diagnose() (code, text string) {
	var settings settingsError
	switch {
	case strings.HasPrefix(o.host, "ssh://"):
		return codeSSH, fmt.Sprintf("%s: ssh is not supported, there is no ssh program in the image. Use a socket proxy, or tcp with TLS", o.host)
	case errors.As(o.err, &settings):
		return codeSettings, o.err.Error()
	}
	for _, find := range []func() (string, string){o.atSocket, o.atConnect, o.atTLS, o.atAPI} {
		if code, text = find(); code != "" {
			return code, text
		}
	}
	if errors.Is(o.err, context.DeadlineExceeded) {
		return codeSilent, fmt.Sprintf("%s accepts connections, but does not answer: %v. If it is a proxy, look at what is behind it", o.host, o.err)
	}
	return codeEngineError, fmt.Sprintf("%s: %v", o.host, o.err)
}

// atSocket is what can be wrong with a socket in the file system.
func (o outage) atSocket() (code, text string) {
	path, ok := strings.CutPrefix(o.host, "unix://")
	switch {
	case !ok:
		return "", ""
	case o.socket.isDir:
		return codeSocketDir, fmt.Sprintf("%s is a directory: the container engine made it because the socket did not exist when it was mounted. "+
			"Remove it on the host, start the engine there, and start this container anew", path)
	case errors.Is(o.cause, fs.ErrNotExist):
		return codeNoSocket, fmt.Sprintf("no Docker socket at %s. Mount it (-v /var/run/docker.sock:%s), or set DOCKER_HOST; "+
			"a rootless engine listens on /run/user/<uid>/docker.sock, and Podman tells with: podman system info --format '{{.Host.RemoteSocket.Path}}'", path, path)
	case errors.Is(o.cause, fs.ErrPermission):
		return codeDenied, o.denied(path)
	case !errors.Is(o.cause, syscall.ECONNREFUSED):
		return "", ""
	case !o.stale:
		return codeNobody, fmt.Sprintf("nobody listens on %s. Is the engine running?", path)
	}
	return codeStale, fmt.Sprintf("nobody listens on %s. If the engine runs, it made its socket anew and this one is stale: "+
		"start this container anew, or mount the socket's directory instead of the socket", path)
}

// denied explains a socket that may not be opened.
func (o outage) denied(path string) string {
	s := o.socket
	text := fmt.Sprintf("permission denied on %s: this process is uid %d, groups %v", path, s.ownUID, s.groups)
	if s.gid < 0 {
		return text
	}
	text += fmt.Sprintf("; the socket belongs to uid %d, gid %d, mode %v. ", s.uid, s.gid, s.mode.Perm())
	switch {
	case slices.Contains(s.groups, s.gid) && s.mode.Perm()&0o060 == 0o060:
		return text + `The group fits, so SELinux or AppArmor may be in the way: security_opt: ["label=disable"]`
	case s.gid == 0:
		return text + "Use the socket proxy of this image (docker-proxy) rather than give this process the group root"
	}
	return text + fmt.Sprintf(`Add the group: group_add: ["%d"], or --group-add %d`, s.gid, s.gid)
}

// atConnect is why no connection is made.
func (o outage) atConnect() (code, text string) {
	var dns *net.DNSError
	switch {
	case errors.As(o.cause, &dns):
		return codeUnknownHost, fmt.Sprintf("%s: the name %q is not known here. If it is a proxy in a container, put it and this container on one network; the name is asked for again and again", o.host, dns.Name)
	case o.cause != nil:
		return codeUnreachable, fmt.Sprintf("%s cannot be reached: %v. Is the engine or the proxy running, and DOCKER_HOST right?", o.host, o.cause)
	}
	return "", ""
}

// atTLS is two sides that disagree about TLS. Its errors come as texts, of the
// other side too.
func (o outage) atTLS() (code, text string) {
	msg := o.err.Error()
	switch {
	case containsAny(msg, "malformed HTTP response", "HTTP request to an HTTPS server"):
		return codeTLSWanted, fmt.Sprintf("%s speaks TLS, and it was spoken to without. Set DOCKER_CERT_PATH and DOCKER_TLS_VERIFY=1", o.host)
	case containsAny(msg, "server gave HTTP response to HTTPS client", "first record does not look like a TLS handshake"):
		return codeTLSNotWanted, fmt.Sprintf("%s does not speak TLS, and it was spoken to with TLS. Unset DOCKER_CERT_PATH and DOCKER_TLS_VERIFY", o.host)
	case containsAny(msg, "remote error: tls: certificate required", "remote error: tls: bad certificate", "remote error: tls: unknown certificate"):
		return codeCertificate, fmt.Sprintf("%s does not accept the certificate of this gateway: %s. DOCKER_CERT_PATH (%s) needs a cert.pem and key.pem that its CA has signed", o.host, reason(msg), o.certs)
	case containsAny(msg, "x509: ", "tls: failed to verify certificate"):
		return codeCertificate, fmt.Sprintf("the certificate of %s is not accepted: %s. DOCKER_CERT_PATH (%s) needs the ca.pem that has signed it, and DOCKER_HOST the name that it is for", o.host, reason(msg), o.certs)
	}
	return "", ""
}

// reason is the end of a wrapped error, where the cause stands.
func reason(msg string) string {
	for _, word := range []string{"remote error: ", "x509: "} {
		if i := strings.LastIndex(msg, word); i >= 0 {
			return msg[i:]
		}
	}
	return msg
}

// atAPI is an answer that is not what an engine says to a client that it likes.
func (o outage) atAPI() (code, text string) {
	var refused refusal
	var versions versionError
	var ended streamEnd
	switch {
	case errors.Is(o.err, errNoAPIVersion):
		return codeNoEngine, fmt.Sprintf("%s answers, but not like an engine: no Api-Version in the answer to /_ping. "+
			"Is it a proxy that does not pass /_ping on, or another service?", o.host)
	case errors.As(o.err, &versions):
		return codeAPIVersion, versions.text(o.host, o.pinned)
	case errors.As(o.err, &refused):
		return codeRefused, refused.text(o.host)
	case errors.As(o.err, &ended):
		return codeStreamEnded, fmt.Sprintf("%s: the event stream ended (%v). It is opened again", o.host, ended.error)
	}
	return "", ""
}

// streamEnd is how an event stream ended that had begun.
type streamEnd struct{ error }

func (s streamEnd) Error() string { return "event stream: " + s.error.Error() }

func (s streamEnd) Unwrap() error { return s.error }

// refusal is a request that was understood and not permitted: by a proxy, or by an
// engine's authorization plugin.
type refusal struct {
	method, path string
	status       string
	err          error
}

func (r refusal) Error() string { return fmt.Sprintf("%s %s was refused: %v", r.method, r.path, r.err) }

func (r refusal) Unwrap() error { return r.err }

// text names what to permit, in the words of the proxies that people have.
func (r refusal) text(host string) string {
	return fmt.Sprintf("%s refuses %s %s (%s). %s", host, r.method, r.path, r.status, r.rule())
}

// sections are the switches of tecnativa/docker-socket-proxy and its relatives.
var sections = map[string]string{
	pathPing: "PING", pathEvents: "EVENTS", pathNetworks: "NETWORKS", pathContainers: "CONTAINERS", pathInspect: "CONTAINERS",
	"/services": "SERVICES",
}

func (r refusal) rule() string {
	pattern := `^(/v1\.[0-9]+)?` + strings.ReplaceAll(r.path, "{id}", "[^/]+") + "$"
	if section := sections[r.path]; section != "" {
		return fmt.Sprintf("Set %s=1 on a tecnativa/docker-socket-proxy; on others permit %s on %s", section, r.method, pattern)
	}
	return fmt.Sprintf("Permit %s on %s", r.method, pattern)
}

// versionError is a version of the API that the engine does not speak.
type versionError struct {
	asked    string // in which it was asked
	min, max string // the engine's; "" where it did not tell
	err      error
}

func (v versionError) Error() string { return v.err.Error() }

func (v versionError) Unwrap() error { return v.err }

func (v versionError) text(host, pinned string) string {
	theirs := "API " + v.min + " to " + v.max
	switch {
	case v.min == "" && v.max == "":
		theirs = "another API"
	case v.min == "":
		theirs = "API versions up to " + v.max
	case v.max == "":
		theirs = "API versions from " + v.min
	}
	text := fmt.Sprintf("the engine at %s speaks %s, this gateway API %s to %s, ", host, theirs, minAPIVersion, maxAPIVersion)
	if pinned != "" {
		return text + fmt.Sprintf("and DOCKER_API_VERSION=%s is not among the engine's. Unset DOCKER_API_VERSION, so that a version is agreed on", pinned)
	}
	return text + fmt.Sprintf("and it refuses %s. Use a gateway or an engine that fits the other", v.asked)
}

var (
	maxVersion = regexp.MustCompile(`[Mm]aximum supported API version is (\d+\.\d+)`)
	minVersion = regexp.MustCompile(`[Mm]inimum supported API version is (\d+\.\d+)`)
)

// readVersionError recognises the engine's answer to a version that it does not
// speak, nil where err is another. newest is what its ping had said.
func readVersionError(err error, asked, newest string) error {
	if err == nil || !containsAny(err.Error(), "is too new", "is too old") {
		return nil
	}
	v := versionError{asked: asked, max: newest, err: err}
	if m := maxVersion.FindStringSubmatch(err.Error()); m != nil {
		v.max = m[1]
	}
	if m := minVersion.FindStringSubmatch(err.Error()); m != nil {
		v.min = m[1]
	}
	return v
}

func containsAny(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}
