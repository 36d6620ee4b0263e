package discovery

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// TLS is how the certificate of an https backend is checked. The zero value is
// the usual way: by the system's authorities, for the host in the URL.
type TLS struct {
	// SkipVerify takes any certificate.
	SkipVerify bool
	// ServerName is the name that the certificate has to have, and that the
	// server is asked for, where the URL has another: an address, most often.
	ServerName string
	// CAFile names a PEM file, as the gateway sees it, of the authorities that
	// count instead of the system's. It is read with each connect.
	CAFile string
}

const (
	maxHost   = 253
	maxCAPath = 1024
)

// validHost takes underscores too: no host name on the internet has any, but
// services of compose do.
var validHost = regexp.MustCompile(`^[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*$`)

// CheckServerName says what is wrong with a TLS.ServerName.
func CheckServerName(name string) error {
	if len(name) > maxHost || !validHost.MatchString(name) {
		return errors.New("is not a host name such as search.internal, without scheme and port")
	}
	return nil
}

// noFiles are directories whose files are none: to read one may wait for ever, or
// have an effect.
var noFiles = []string{"/dev", "/proc", "/sys"}

// CheckCAFile says what is wrong with a TLS.CAFile, as far as its name tells.
func CheckCAFile(file string) error {
	switch {
	case len(file) > maxCAPath || strings.ContainsFunc(file, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("is not the path of a file")
	case !filepath.IsAbs(file) || filepath.Clean(file) != file:
		return errors.New("is not an absolute path such as /certs/ca.pem, without . and .. in it")
	case slices.ContainsFunc(noFiles, func(dir string) bool { return file == dir || strings.HasPrefix(file, dir+"/") }):
		return errors.New("is in a directory of devices, not of files")
	}
	return nil
}

// Idle names the setting that can have no effect beside the others, and says why;
// "" when each has one.
func (t TLS) Idle(scheme string) (setting, why string) {
	switch {
	case t == TLS{}:
	case scheme != "https" && t.SkipVerify:
		return "verify", "the scheme is http"
	case scheme != "https" && t.ServerName != "":
		return "server-name", "the scheme is http"
	case scheme != "https":
		return "ca", "the scheme is http"
	case t.SkipVerify && t.CAFile != "":
		return "ca", "certificates are not checked"
	}
	return "", ""
}
