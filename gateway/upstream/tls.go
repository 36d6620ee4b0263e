package upstream

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// withTLS makes e check certificates as t says. It comes before the first request.
func (e *endpoint) withTLS(t discovery.TLS) *endpoint {
	e.transport.check(t)
	return e
}

func (c *carrier) check(t discovery.TLS) {
	if !c.secure || t == (discovery.TLS{}) {
		return
	}
	c.tls = t
	c.TLSClientConfig = &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.SkipVerify}
	if t.CAFile == "" || t.SkipVerify {
		return
	}
	authorities, err := readAuthorities(t.CAFile)
	if err != nil {
		c.tlsError = &tlsError{"mcp-gw.tls.ca: " + err.Error(), err}
		return
	}
	c.TLSClientConfig.RootCAs = authorities
}

// maxAuthorities bounds a PEM file; that of a whole system has a quarter of it.
const maxAuthorities = 1 << 20

// readAuthorities reads a file that a label may have named: it is opened only when it
// is one, and nothing of what is in it is told.
func readAuthorities(file string) (*x509.CertPool, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the gateway has no file %s: mount it there", file)
	case err != nil:
		return nil, fmt.Errorf("the gateway cannot read %s: %w", file, unwrapPath(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the gateway cannot read %s: %w", file, unwrapPath(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAuthorities+1))
	if err != nil {
		return nil, fmt.Errorf("the gateway cannot read %s: %w", file, unwrapPath(err))
	}
	if len(text) > maxAuthorities {
		return nil, fmt.Errorf("%s is larger than 1 MiB, which no file of authorities is", file)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM (BEGIN CERTIFICATE)", file)
	}
	return pool, nil
}

// unwrapPath takes the path off an error that is told beside it.
func unwrapPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// tlsError is a connection that did not come to be: no request went out on it.
type tlsError struct {
	sentence string
	cause    error
}

func (e *tlsError) Error() string { return e.sentence }

func (e *tlsError) Unwrap() error { return &net.OpError{Op: "dial", Net: "tcp", Err: e.cause} }

// certificateProblem puts an error of a TLS handshake in words, with the fix. Others
// stay what they are.
func (c *carrier) certificateProblem(err error) error {
	if !c.secure {
		return err
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil { // the first record of a connection
		if string(record.RecordHeader[:]) == "HTTP/" {
			return &tlsError{"speaks plain HTTP there, not TLS: set mcp-gw.scheme=http", err}
		}
		return &tlsError{"speaks no TLS there: are mcp-gw.scheme and mcp-gw.port right?", err}
	}
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) {
		return err
	}
	return &tlsError{c.refusedCertificate(refused.Err), err}
}

const takeAny = "or take any with mcp-gw.tls.verify=false"

// refusedCertificate says why a certificate was not taken. The fix stands before what
// may be long, because the sentence is cut at its end.
func (c *carrier) refusedCertificate(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown) && unknown.Cert != nil && !strings.Contains(err.Error(), "possibly because of"):
		return c.unknownAuthority(unknown.Cert)
	case errors.As(err, &host) && host.Certificate != nil:
		return wrongName(host.Certificate, host.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return outOfDate(invalid.Cert, time.Now())
	}
	return fmt.Sprintf("its certificate cannot be taken: renew it in the server, %s (%v)", takeAny, err)
}

func outOfDate(cert *x509.Certificate, now time.Time) string {
	whose, where := "its certificate", "in the server"
	if cert.IsCA {
		whose, where = "the certificate of its authority", "in the server, and in mcp-gw.tls.ca if it is there"
	}
	if now.Before(cert.NotBefore) {
		return fmt.Sprintf("%s begins at %s and it is %s: set the clock right, the server's or the gateway's", whose, utc(cert.NotBefore), utc(now))
	}
	return fmt.Sprintf("%s expired at %s: renew it %s, %s", whose, utc(cert.NotAfter), where, takeAny)
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (c *carrier) unknownAuthority(cert *x509.Certificate) string {
	issuer := cert.Issuer.CommonName
	if issuer == "" {
		issuer = cert.Issuer.String()
	}
	selfSigned := bytes.Equal(cert.RawIssuer, cert.RawSubject)
	switch {
	case c.tls.CAFile != "" && selfSigned:
		return "its certificate is self-signed and not the one in mcp-gw.tls.ca: put it into " + c.tls.CAFile
	case c.tls.CAFile != "":
		return fmt.Sprintf("its certificate is signed by %.40q, who is not in mcp-gw.tls.ca: put that authority into %s", issuer, c.tls.CAFile)
	case selfSigned:
		return "its certificate is self-signed: give it to the gateway as mcp-gw.tls.ca, " + takeAny
	}
	return fmt.Sprintf("its certificate is signed by %.40q, whom the gateway does not know: give that authority as mcp-gw.tls.ca, %s", issuer, takeAny)
}

func wrongName(cert *x509.Certificate, wanted string) string {
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names[:len(names):len(names)], ip.String())
	}
	if len(names) == 0 {
		return "its certificate names no host (a common name does not count): make one with a subjectAltName, " + takeAny
	}
	good := "one of its names"
	for _, name := range names {
		if discovery.CheckServerName(name) == nil {
			good = name
			break
		}
	}
	const most = 3
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	if good == "one of its names" {
		return fmt.Sprintf("its certificate is not for %s: set mcp-gw.tls.server-name to one of its names (%s%s)", wanted, strings.Join(names, ", "), more)
	}
	return fmt.Sprintf("its certificate is not for %s: set mcp-gw.tls.server-name=%s (it is for %s%s)", wanted, good, strings.Join(names, ", "), more)
}
