package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// issuer is an authority of the tests' own.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T, name string) *issuer {
	t.Helper()
	i := &issuer{}
	made := i.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true})
	i.cert, i.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	return i
}

// issue makes a certificate as template has it; an issuer that has no certificate
// yet makes one signed by itself.
func (i *issuer) issue(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// save writes certificates to a file, and answers its path.
func save(t *testing.T, certs ...*x509.Certificate) string {
	t.Helper()
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return saveText(t, string(text))
}

func saveText(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// serveTLS serves h with certificate cert.
func serveTLS(t *testing.T, h http.Handler, cert tls.Certificate) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused handshakes
	s.StartTLS()
	t.Cleanup(func() { shut(s) })
	return s
}

func here(template x509.Certificate) *x509.Certificate {
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	return &template
}

func TestTLS(t *testing.T) {
	ours, other := newIssuer(t, "our authority"), newIssuer(t, "another authority")
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	good := ours.issue(t, here(x509.Certificate{}))
	named := ours.issue(t, &x509.Certificate{DNSNames: []string{"*.wild.internal", "a.internal", "b.internal", "c.internal"}})
	wild := ours.issue(t, &x509.Certificate{DNSNames: []string{"*.wild.internal"}})
	nameless := ours.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "a.internal"}})
	expired := ours.issue(t, here(x509.Certificate{NotBefore: past.Add(-time.Hour), NotAfter: past}))
	early := ours.issue(t, here(x509.Certificate{NotBefore: future, NotAfter: future.Add(time.Hour)}))
	alone := (&issuer{}).issue(t, here(x509.Certificate{Subject: pkix.Name{CommonName: "alone"}}))
	ca := save(t, ours.cert)
	missing := filepath.Join(t.TempDir(), "none.pem")
	long := newIssuer(t, strings.Repeat("very ", 40)+"long")

	for _, tt := range []struct {
		name string
		cert tls.Certificate
		tls  discovery.TLS
		want []string // in the reason; none where it connects
	}{
		{"our authority", good, discovery.TLS{CAFile: ca}, nil},
		{"several authorities", good, discovery.TLS{CAFile: save(t, other.cert, ours.cert)}, nil},
		{"unknown authority", good, discovery.TLS{}, []string{`signed by "our authority"`, "mcp-gw.tls.ca", "mcp-gw.tls.verify=false"}},
		{"another authority", good, discovery.TLS{CAFile: save(t, other.cert)}, []string{`signed by "our authority"`, "not in mcp-gw.tls.ca: put that authority into /"}},
		{"an authority with a long name", long.issue(t, here(x509.Certificate{})), discovery.TLS{}, []string{"very", "mcp-gw.tls.ca", "mcp-gw.tls.verify=false"}},
		{"anything goes", good, discovery.TLS{SkipVerify: true}, nil},
		{"self-signed", alone, discovery.TLS{}, []string{"self-signed", "mcp-gw.tls.ca", "mcp-gw.tls.verify=false"}},
		{"self-signed and given", alone, discovery.TLS{CAFile: save(t, alone.Leaf)}, nil},
		{"self-signed, another given", alone, discovery.TLS{CAFile: ca}, []string{"self-signed", "put it into /"}},
		{"self-signed, anything goes", alone, discovery.TLS{SkipVerify: true}, nil},
		{"wrong name", named, discovery.TLS{CAFile: ca}, []string{"not for 127.0.0.1: set mcp-gw.tls.server-name=a.internal", "*.wild.internal, a.internal, b.internal and 1 more"}},
		{"wrong name given", named, discovery.TLS{CAFile: ca, ServerName: "d.internal"}, []string{"not for d.internal: set mcp-gw.tls.server-name=a.internal"}},
		{"right name given", named, discovery.TLS{CAFile: ca, ServerName: "b.internal"}, nil},
		{"name that a wildcard covers", named, discovery.TLS{CAFile: ca, ServerName: "x.wild.internal"}, nil},
		{"only a wildcard", wild, discovery.TLS{CAFile: ca}, []string{"mcp-gw.tls.server-name to one of its names (*.wild.internal)"}},
		{"address as name", good, discovery.TLS{CAFile: ca, ServerName: "127.0.0.1"}, nil},
		{"another address as name", good, discovery.TLS{CAFile: ca, ServerName: "127.0.0.2"}, []string{"mcp-gw.tls.server-name=127.0.0.1"}},
		{"no name", nameless, discovery.TLS{CAFile: ca, ServerName: "a.internal"}, []string{"names no host", "subjectAltName"}},
		{"expired", expired, discovery.TLS{CAFile: ca}, []string{"expired at " + utc(past), "renew it", "mcp-gw.tls.verify=false"}},
		{"expired, anything goes", expired, discovery.TLS{SkipVerify: true}, nil},
		{"too early", early, discovery.TLS{CAFile: ca}, []string{"begins at " + utc(future), "clock"}},
		{"no file", good, discovery.TLS{CAFile: missing}, []string{"mcp-gw.tls.ca: the gateway has no file " + missing, "mount it"}},
		{"a directory", good, discovery.TLS{CAFile: filepath.Dir(ca)}, []string{"mcp-gw.tls.ca: " + filepath.Dir(ca) + " is no file"}},
		{"no PEM", good, discovery.TLS{CAFile: saveText(t, "root:x:0:0")}, []string{"mcp-gw.tls.ca:", "no certificate in PEM"}},
		{"a huge file", good, discovery.TLS{CAFile: saveText(t, strings.Repeat("x", maxAuthorities+1))}, []string{"mcp-gw.tls.ca:", "larger than 1 MiB"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t)
			s := serveTLS(t, b, tt.cert)
			want := at(s.URL)
			want.TLS = tt.tls
			u := start(t, want, quick())
			if tt.want == nil {
				awaitReady(t, u)
				mustCall(t, u, "", "echo", "done")
				return
			}
			state := awaitState(t, u, "a refusal", func(s *State) bool { return s.Reason != "" })
			for _, text := range tt.want {
				if !strings.Contains(state.Reason, text) {
					t.Errorf("reason %q, want %q in it", state.Reason, text)
				}
			}
			if strings.Contains(state.Reason, "root:x") {
				t.Errorf("the reason shows the file: %q", state.Reason)
			}
			if n := len(b.asked("server/discover")) + len(b.asked("initialize")); n != 0 {
				t.Errorf("%d requests went out all the same", n)
			}
		})
	}
}

// An authority that expired is no fault of the server's own certificate.
func TestTLSExpiredAuthority(t *testing.T) {
	old := &issuer{}
	past := time.Now().Add(-time.Hour)
	made := old.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "old"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: past.Add(-time.Hour), NotAfter: past})
	old.cert, old.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	want := at(serveTLS(t, newBackend(t), old.issue(t, here(x509.Certificate{}))).URL)
	want.TLS.CAFile = save(t, old.cert)
	state := awaitState(t, start(t, want, quick()), "a refusal", func(s *State) bool { return s.Reason != "" })
	if want := "of its authority expired at " + utc(past) + ": renew it in the server, and in mcp-gw.tls.ca"; !strings.Contains(state.Reason, want) {
		t.Errorf("reason %q", state.Reason)
	}
}

// The server is asked for the name that the certificate is to have.
func TestTLSServerName(t *testing.T) {
	ours := newIssuer(t, "our authority")
	asked := make(chan string, 100)
	b := newBackend(t)
	s := serveTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.TLS.ServerName + " " + r.Host
		b.ServeHTTP(w, r)
	}), ours.issue(t, &x509.Certificate{DNSNames: []string{"a.internal"}}))
	want := at(s.URL)
	want.TLS = discovery.TLS{CAFile: save(t, ours.cert), ServerName: "a.internal"}
	awaitReady(t, start(t, want, quick()))
	if got, want := <-asked, "a.internal "+s.Listener.Addr().String(); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// The authorities are read with each connect, so that a file that was mended, or
// renewed, needs no restart.
func TestTLSFileThatComesLater(t *testing.T) {
	ours := newIssuer(t, "our authority")
	want := at(serveTLS(t, newBackend(t), ours.issue(t, here(x509.Certificate{}))).URL)
	want.TLS.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	u := start(t, want, quick())
	awaitState(t, u, "a refusal", func(s *State) bool { return strings.Contains(s.Reason, "no file") })
	if err := os.Rename(save(t, ours.cert), want.TLS.CAFile); err != nil {
		t.Fatal(err)
	}
	u.Reconnect()
	awaitReady(t, u)
}

// Settings of TLS that change make another connection.
func TestTLSThatChanges(t *testing.T) {
	ours := newIssuer(t, "our authority")
	want := at(serveTLS(t, newBackend(t), ours.issue(t, here(x509.Certificate{}))).URL)
	want.TLS.SkipVerify = true
	u := start(t, want, quick())
	awaitReady(t, u)
	want.TLS.SkipVerify = false
	u.Set(want)
	awaitState(t, u, "a refusal", func(s *State) bool { return strings.Contains(s.Reason, "mcp-gw.tls.ca") })
}

func TestTLSToAServerWithout(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(strings.Replace(b.URL, "http:", "https:", 1)), quick())
	awaitState(t, u, "a refusal", func(s *State) bool { return strings.Contains(s.Reason, "mcp-gw.scheme=http") })

	// Without TLS, its settings mean nothing.
	plain := at(b.URL)
	plain.TLS.CAFile = "/none.pem"
	awaitReady(t, start(t, plain, quick()))
}

// A request that a handshake failed before never ran, and may be sent again.
func TestTLSRefusalNeverRan(t *testing.T) {
	ours := newIssuer(t, "our authority")
	s := serveTLS(t, newBackend(t), ours.issue(t, here(x509.Certificate{})))
	for name, settings := range map[string]discovery.TLS{"unknown authority": {}, "no file": {CAFile: "/none.pem"}} {
		to, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		e := newEndpoint(t.Context(), to, nil, quick()).withTLS(settings)
		body := getBuffer()
		body.b = append(body.b, "{}"...)
		_, err = e.post(t.Context(), http.Header{}, body, 1, func(*wire.Message) error { return nil })
		var words *tlsError
		if !neverRan(err) || !errors.As(err, &words) {
			t.Errorf("%s: %v", name, err)
		}
		if n := body.refs.Load(); n != 1 {
			t.Errorf("%s: %d hold the body", name, n)
		}
		body.release()
		e.close()
	}
}
