package docker

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
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

// outage is all that is known of a failed attempt to reach the engine.
type outage struct {
	host  string
	err   error // of the client
	cause error // of a bare connect, nil when that works: the client hides the reason
	// stale: the engine has been away for longer than it takes to start.
	stale  bool
	socket socketFacts
	// pinned is the API version that was demanded, "" when it is agreed on.
	pinned string
	// certs is the folder with the certificates, "" without TLS.
	certs string
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

// socketOf is the socket that host names, nil where there is none in the file system.
func socketOf(host string) fs.FileInfo {
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// replaced reports whether another socket stands now where the one was that a
// connection was made to: that connection leads to an engine of yesterday. One that
// is gone is not replaced yet: an engine that ends removes it first, and tells of
// deaths for seconds after that.
func replaced(was fs.FileInfo, host string) bool {
	if was == nil {
		return false
	}
	is := socketOf(host)
	// File systems give a number that became free to the next file.
	return is != nil && (!os.SameFile(was, is) || !was.ModTime().Equal(is.ModTime()))
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
