package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errNoAPIVersion: what answers the ping is no engine, or a proxy that hides it.
var errNoAPIVersion = errors.New("ping: the answer has no Api-Version header")

// settingsError says that the settings cannot be used as they are; nobody was asked.
type settingsError struct{ error }

func (e settingsError) Unwrap() error { return e.error }

// DefaultHost is the engine's usual address on this system.
func DefaultHost() string {
	if runtime.GOOS == "windows" {
		return "npipe:////./pipe/docker_engine"
	}
	return "unix:///var/run/docker.sock"
}

// staleAfter is how long a socket may refuse before it is called stale rather
// than starting.
const staleAfter = 15 * time.Second

// outage is all that is known of a failed attempt to reach the engine.
type outage struct {
	host  string
	err   error // of the client
	cause error // of a bare connect, nil when that works: the client hides the reason
	// since is how long the engine has been away.
	since  time.Duration
	socket socketFacts
	// pinned is the API version that was demanded, "" when it is agreed on.
	pinned string
}

// socketFacts are what the file system says of a socket, and who asks.
type socketFacts struct {
	isDir    bool
	mode     fs.FileMode
	uid, gid int // of the socket; -1 when not known
	ownUID   int
	groups   []int
}

// explore gathers the facts behind err. It may take two seconds.
func explore(ctx context.Context, host string, err error) outage {
	o := outage{host: host, err: err}
	proto, addr, _ := strings.Cut(host, "://")
	if proto != "unix" && proto != "tcp" {
		return o
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	conn, dialErr := new(net.Dialer).DialContext(ctx, proto, addr)
	if dialErr == nil {
		_ = conn.Close() // only the connect was of interest
	}
	o.cause = dialErr
	if proto == "unix" {
		o.socket = lookAt(addr)
	}
	return o
}

func lookAt(path string) socketFacts {
	f := socketFacts{uid: -1, gid: -1, ownUID: os.Getuid()}
	f.groups, _ = os.Getgroups()
	f.groups = append(f.groups, os.Getgid())
	slices.Sort(f.groups)
	f.groups = slices.Compact(f.groups)
	info, err := os.Stat(path)
	if err != nil {
		return f
	}
	f.isDir, f.mode = info.IsDir(), info.Mode()
	f.uid, f.gid = owner(info)
	return f
}

// text says in one sentence what is wrong, and in another what to do.
func (o outage) text() string {
	path := strings.TrimPrefix(o.host, "unix://")
	msg := o.err.Error()
	var dns *net.DNSError
	var settings settingsError
	switch {
	case strings.HasPrefix(o.host, "ssh://"):
		return fmt.Sprintf("%s: ssh is not supported. Use a socket proxy, or tcp with TLS", o.host)
	case errors.As(o.err, &settings):
		return msg
	case o.socket.isDir:
		return fmt.Sprintf("%s is a directory: the container engine made it because the socket did not exist when it was mounted. "+
			"Remove it on the host, start the engine there, and start this container anew", path)
	case errors.Is(o.cause, fs.ErrNotExist):
		return fmt.Sprintf("no Docker socket at %s. Mount it (-v /var/run/docker.sock:%s), or set DOCKER_HOST; "+
			"a rootless engine listens on /run/user/<uid>/docker.sock", path, path)
	case errors.Is(o.cause, fs.ErrPermission):
		return o.denied(path)
	case errors.Is(o.cause, syscall.ECONNREFUSED) && strings.HasPrefix(o.host, "unix://"):
		if o.since < staleAfter {
			return fmt.Sprintf("nobody listens on %s. Is the engine running?", path)
		}
		return fmt.Sprintf("nobody listens on %s. If the engine runs, it made its socket anew and this one is stale: "+
			"start this container anew, or mount the socket's directory instead of the socket", path)
	case errors.As(o.cause, &dns):
		return fmt.Sprintf("%s: the name %q is not known here. Is the proxy on a network of this container?", o.host, dns.Name)
	case o.cause != nil:
		return fmt.Sprintf("%s cannot be reached: %v", o.host, o.cause)
	case errors.Is(o.err, errNoAPIVersion):
		return fmt.Sprintf("%s answers, but not like an engine: no Api-Version in the answer to /_ping. "+
			"Is it a proxy that does not pass /_ping on, or another service?", o.host)
	case strings.Contains(msg, "malformed HTTP response"), strings.Contains(msg, "HTTP request to an HTTPS server"):
		return fmt.Sprintf("%s speaks TLS, and it was spoken to without. Set DOCKER_CERT_PATH and DOCKER_TLS_VERIFY=1", o.host)
	case strings.Contains(msg, "server gave HTTP response to HTTPS client"), strings.Contains(msg, "first record does not look like a TLS handshake"):
		return fmt.Sprintf("%s does not speak TLS, and it was spoken to with TLS. Unset DOCKER_CERT_PATH and DOCKER_TLS_VERIFY", o.host)
	case strings.Contains(msg, "is too new"), strings.Contains(msg, "is too old"):
		if o.pinned != "" {
			return fmt.Sprintf("the engine at %s refuses API version %s: %s. Unset DOCKER_API_VERSION, so that one is agreed on", o.host, o.pinned, msg)
		}
		return fmt.Sprintf("no API version suits both the engine at %s and this gateway, which speaks up to 1.51: %s", o.host, msg)
	case refusedByProxy(msg):
		return fmt.Sprintf("%s refused a request: %s. A socket proxy must allow GET on /_ping, /version, /events, /networks, "+
			"/containers/json and /containers/{id}/json", o.host, msg)
	case errors.Is(o.err, context.DeadlineExceeded):
		return fmt.Sprintf("%s accepts connections, but does not answer: %s", o.host, msg)
	}
	return fmt.Sprintf("%s: %s", o.host, msg)
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

func refusedByProxy(msg string) bool {
	for _, word := range []string{"403 Forbidden", "405 Method Not Allowed", "Forbidden", "Method Not Allowed"} {
		if strings.Contains(msg, word) {
			return true
		}
	}
	return false
}
