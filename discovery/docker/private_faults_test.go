//go:build linux

package docker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"mcp-gw/discovery"
)

// A socket that was mounted as a file stays what it was when the engine makes
// another at its place. Only a new mount, which a container gets when it is started
// anew, leads to the engine again.
func TestF33MountedSocketGoesStale(t *testing.T) {
	e := newPrivateEngine(t)
	t.Parallel() // it waits for the engine most of the time
	e.start("--live-restore")
	image := e.load()
	if _, err := e.cli.NetworkCreate(t.Context(), "mcp-gw-net", network.CreateOptions{}); err != nil {
		e.fail(err.Error())
	}
	e.container(image, "one", container.RestartPolicyDisabled)
	mounted := filepath.Join(e.dir, "mounted.sock")
	mount := func() {
		t.Helper()
		if err := os.WriteFile(mounted, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount(filepath.Join(e.dir, "sock"), mounted, "", syscall.MS_BIND, ""); err != nil {
			missing(t, "cannot mount a socket: %v", err)
		}
	}
	mount()
	p := New(Config{Host: "unix://" + mounted, Log: testLog(t)})
	p.pace.backoffMax, p.pace.stale = 200*time.Millisecond, 3*time.Second
	_, r := runProvider(t, p)
	before := r.awaitNames(t, "one").set[0]

	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	if e := awaitEngineError(t, p, "nobody listens"); e.Code != codeNobody || e.Connected {
		t.Errorf("engine %+v", e)
	}
	e.end(syscall.Signal(0)) // it was told so
	e.start("--live-restore")
	at := time.Now()
	if e := awaitEngineError(t, p, "this one is stale"); e.Code != codeStale {
		t.Errorf("engine %+v", e)
	}
	t.Logf("called stale %v after the engine was back", time.Since(at).Round(time.Second))
	if set, _ := r.set(); names(set) != "one" || !set[0].Same(before) {
		t.Errorf("behind a stale socket the set is %q", names(set))
	}
	e.container(image, "two", container.RestartPolicyDisabled)
	if err := syscall.Unmount(mounted, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(mounted); err != nil {
		t.Fatal(err)
	}
	mount()
	after, _ := find(r.awaitNames(t, "one", "two").set, "one")
	if !after.Same(before) {
		t.Errorf("it lived on, and is another backend:\n%+v\n%+v", before, after)
	}
	for _, name := range []string{"one", "two"} {
		if err := e.cli.ContainerRemove(t.Context(), name, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}
	r.awaitNames(t)
}

// authority signs certificates for one test.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.key, a.cert, a.pem = a.sign(template, nil)
	return a
}

// sign makes a key and its certificate, signed by a; a nil parent signs itself.
func (a *authority) sign(template *x509.Certificate, parent *authority) (*ecdsa.PrivateKey, *x509.Certificate, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer, issuer := key, template
	if parent != nil {
		signer, issuer = parent.key, parent.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// folder writes ca.pem, and cert.pem and key.pem signed by a, for ip.
func (a *authority) folder(trusted *authority, ip string) string {
	a.t.Helper()
	key, _, cert := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(ip)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	for name, body := range map[string][]byte{"ca.pem": trusted.pem, "cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return dir
}

// An engine that listens on tcp, and only to those whose certificate it knows.
func TestEngineBehindTLS(t *testing.T) {
	e := newPrivateEngine(t)
	// Its name space is another, so that nobody else can reach it either.
	near, far := "mgw"+strings.TrimPrefix(e.netns, "discovery-docker-ns-"), "mgx"+strings.TrimPrefix(e.netns, "discovery-docker-ns-")
	const ours, theirs = "10.213.77.1", "10.213.77.2"
	e.run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", e.netns)
	e.run("ip", "addr", "add", ours+"/30", "dev", near)
	e.run("ip", "link", "set", near, "up")
	e.run("ip", "netns", "exec", e.netns, "ip", "addr", "add", theirs+"/30", "dev", far)
	e.run("ip", "netns", "exec", e.netns, "ip", "link", "set", far, "up")
	good, bad := newAuthority(t, "good"), newAuthority(t, "bad")
	server := good.folder(good, theirs)
	e.start("-H", "tcp://"+theirs+":2376", "--tlsverify", "--tlscacert", filepath.Join(server, "ca.pem"),
		"--tlscert", filepath.Join(server, "cert.pem"), "--tlskey", filepath.Join(server, "key.pem"))
	image := e.load()
	if _, err := e.cli.NetworkCreate(t.Context(), "mcp-gw-net", network.CreateOptions{}); err != nil {
		e.fail(err.Error())
	}
	e.container(image, "one", container.RestartPolicyDisabled)

	host := "tcp://" + theirs + ":2376"
	plain := newFake(t) // speaks no TLS
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain.serveOn(l)
	for _, tt := range []struct {
		name, code, part string
		cfg              Config
	}{
		{"without TLS", codeTLSWanted, "speaks TLS", Config{Host: host}},
		{"with TLS where there is none", codeTLSNotWanted, "does not speak TLS", Config{Host: "tcp://" + l.Addr().String(), CertPath: good.folder(good, ours), TLSVerify: true}},
		{"another CA", codeCertificate, "unknown authority", Config{Host: host, CertPath: good.folder(bad, ours), TLSVerify: true}},
		{"another's certificate", codeCertificate, "does not accept the certificate of this gateway", Config{Host: host, CertPath: bad.folder(good, ours), TLSVerify: true}},
		{"no such folder", codeSettings, "docker certificates", Config{Host: host, CertPath: filepath.Join(e.dir, "none"), TLSVerify: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, r := runProvider(t, New(tt.cfg))
			if e := awaitEngineError(t, p, tt.part); e.Code != tt.code || e.Connected {
				t.Errorf("engine %+v, want %s", e, tt.code)
			}
			if _, put := r.set(); put {
				t.Error("a set was put")
			}
		})
	}
	for _, cfg := range []Config{
		{Host: host, CertPath: good.folder(good, ours), TLSVerify: true, Log: testLog(t)},
		{Host: host, CertPath: good.folder(bad, ours), Log: testLog(t)}, // its certificate is not checked
	} {
		p, r := runProvider(t, New(cfg))
		r.awaitNames(t, "one")
		awaitReport(t, p, "connected", func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Error == "" })
	}
	p, r := runProvider(t, New(Config{Host: host, CertPath: good.folder(good, ours), TLSVerify: true}))
	r.awaitNames(t, "one")
	if err := e.cli.ContainerRemove(t.Context(), "one", container.RemoveOptions{Force: true}); err != nil {
		t.Error(err)
	}
	r.awaitNames(t) // events come through TLS
	if e := p.Report().Engine; e.LastEventAt.IsZero() {
		t.Errorf("engine %+v", e)
	}
}

func TestSwarmDeployLabels(t *testing.T) {
	e := newPrivateEngine(t)
	t.Parallel() // it waits for the engine most of the time
	e.start()
	image := e.load()
	if _, err := e.cli.SwarmInit(t.Context(), swarm.InitRequest{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"}); err != nil {
		e.fail(err.Error())
	}
	p, r := runProvider(t, New(Config{Host: e.host(), Log: testLog(t)}))
	r.awaitNames(t)
	none := uint64(0) // how many run is another matter
	create := func(name string, own, containers map[string]string) string {
		t.Helper()
		s, err := e.cli.ServiceCreate(t.Context(), swarm.ServiceSpec{
			Annotations:  swarm.Annotations{Name: name, Labels: own},
			Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &none}},
			EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
			TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: image, Labels: containers}},
		}, swarm.ServiceCreateOptions{})
		if err != nil {
			e.fail(err.Error())
		}
		return s.ID
	}
	ours := map[string]string{"mcp-gw.port": "8080"}
	wrong := create("wrong", ours, nil)
	right := create("right", nil, ours)
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := awaitVerdict(t, p, wrong, verdictDeployLabels)
	if o.Name != "wrong" || !strings.Contains(o.Fix, "docker service update --container-label-add mcp-gw.port=8080 wrong") {
		t.Errorf("%+v", o)
	}
	for _, o := range p.Report().Containers {
		if o.ID == right {
			t.Errorf("%+v", o)
		}
	}
	e.withHost("docker", strings.Fields(o.Fix[strings.Index(o.Fix, "docker service"):])[1:]...)
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Report().Containers); n != 0 {
		t.Errorf("the fix, as it was given, leaves %d entries", n)
	}
}
