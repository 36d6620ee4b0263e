package docker

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/versions"
)

// fake is an engine for the faults that a real one cannot be made to show. The
// real client talks to it, over a real socket.
type fake struct {
	t    *testing.T
	path string
	srv  *httptest.Server

	mu         sync.Mutex // guards all below
	containers map[string]observation
	listed     func(map[string]observation) map[string]observation // what listings say, nil = the truth
	fault      func(w http.ResponseWriter, r *http.Request) bool   // answers instead
	streams    map[chan string]bool                                // open event streams
	cut        chan struct{}                                       // closed: streams end
	mute       bool                                                // streams stay open and tell nothing
	version    string
	minVersion string // requests in an older version are refused
	platform   string
	swarm      string           // the Swarm header of a ping
	services   []map[string]any // of the swarm
	skew       time.Duration    // of the engine's clock against ours
	noFilters  bool             // events with filters are refused
	calls      map[string]int   // by kind of request
	filters    string           // of the latest event stream
	paths      []string
}

func newFake(t *testing.T) *fake {
	f := &fake{
		t: t, path: filepath.Join(t.TempDir(), "engine.sock"), containers: map[string]observation{},
		streams: map[chan string]bool{}, cut: make(chan struct{}), version: "1.45", calls: map[string]int{},
	}
	f.listen()
	t.Cleanup(f.close)
	return f
}

func (f *fake) host() string { return "unix://" + f.path }

func (f *fake) listen() {
	l, err := net.Listen("unix", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.srv = httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	_ = f.srv.Listener.Close()
	f.srv.Listener = l
	f.srv.Start()
}

// serveOn lets the engine listen on l, too, until the test ends.
func (f *fake) serveOn(l net.Listener) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	_ = srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	f.t.Cleanup(srv.Close)
}

// close ends the engine the hard way: connections are reset.
func (f *fake) close() {
	f.cutStreams()
	f.srv.CloseClientConnections()
	f.srv.Close()
}

// cutStreams ends all event streams, in the middle of a message.
func (f *fake) cutStreams() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.cut)
	f.cut = make(chan struct{})
}

// with changes the engine under its lock.
func (f *fake) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[kind]
}

// set changes a container without a word; tell sends an event.
func (f *fake) set(o observation) { f.with(func() { f.containers[o.id] = o }) }

func (f *fake) tell(kind, action, id string, attrs ...string) {
	a := map[string]string{}
	for i := 0; i < len(attrs); i += 2 {
		a[attrs[i]] = attrs[i+1]
	}
	msg, _ := json.Marshal(map[string]any{
		"Type": kind, "Action": action, "Actor": map[string]any{"ID": id, "Attributes": a}, "timeNano": f.now().UnixNano(),
	})
	// The engine answers a moment before it subscribes. Who wants to lose an event in
	// that moment does so on purpose.
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		subscribed := false
		f.with(func() { subscribed = len(f.streams) > 0 || f.mute })
		if subscribed {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		return
	}
	for s := range f.streams {
		s <- string(msg)
	}
}

// now is the engine's clock.
func (f *fake) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.skew)
}

func (f *fake) start(o observation) {
	f.set(o)
	f.tell("container", "start", o.id)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if rest, ok := strings.CutPrefix(path, "/v1."); ok {
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	kind := strings.TrimPrefix(path, "/")
	if strings.HasPrefix(path, "/containers/") && path != "/containers/json" {
		kind = "inspect"
	}
	f.mu.Lock()
	f.calls[kind]++
	f.paths = append(f.paths, r.URL.Path)
	fault, version, oldest, swarm, services := f.fault, f.version, f.minVersion, f.swarm, f.services
	f.mu.Unlock()
	r.Pattern = kind
	if fault != nil && fault(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v"); ok && kind != "_ping" {
		asked, _, _ := strings.Cut(rest, "/")
		word := ""
		switch {
		case versions.GreaterThan(asked, version):
			word = "client version " + asked + " is too new. Maximum supported API version is " + version
		case oldest != "" && versions.LessThan(asked, oldest):
			word = "client version " + asked + " is too old. Minimum supported API version is " + oldest + ", please upgrade your client to a newer version"
		}
		if word != "" {
			w.WriteHeader(http.StatusBadRequest)
			f.answer(w, map[string]string{"message": word})
			return
		}
	}
	switch kind {
	case "_ping":
		if version != "" {
			w.Header().Set("Api-Version", version)
		}
		if swarm != "" {
			w.Header().Set("Swarm", swarm)
		}
	case "info":
		f.answer(w, map[string]any{"Swarm": map[string]any{"ControlAvailable": services != nil}})
	case "services":
		f.answer(w, services)
	case "version":
		f.answer(w, map[string]any{"Version": "fake", "ApiVersion": version, "Components": []map[string]string{{"Name": f.platform}}})
	case "networks":
		f.answer(w, []map[string]string{{"Id": "netid", "Name": "net"}})
	case "containers/json":
		f.mu.Lock()
		list := f.containers
		if f.listed != nil {
			list = f.listed(list)
		}
		out := []map[string]any{}
		for id, o := range list {
			if wanted := r.URL.Query().Get("filters"); wanted == "" || strings.Contains(wanted, `"`+id+`"`) {
				out = append(out, toLine(o))
			}
		}
		f.mu.Unlock()
		f.answer(w, out)
	case "inspect":
		id := strings.TrimSuffix(strings.TrimPrefix(path, "/containers/"), "/json")
		f.mu.Lock()
		o, ok := f.containers[id]
		f.mu.Unlock()
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			f.answer(w, map[string]string{"message": "No such container: " + id})
			return
		}
		f.answer(w, toJSON(o))
	case "events":
		f.stream(w, r)
	default:
		f.t.Errorf("the fake engine was asked for %s %s", r.Method, r.URL.Path)
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func (f *fake) answer(w io.Writer, v any) { _ = json.NewEncoder(w).Encode(v) }

func (f *fake) stream(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	refused := f.noFilters && r.URL.Query().Get("filters") != ""
	f.mu.Unlock()
	if refused {
		w.WriteHeader(http.StatusInternalServerError)
		f.answer(w, map[string]string{"message": "invalid filter"})
		return
	}
	if r.URL.Query().Get("since") != "" {
		f.t.Errorf("events since %s were asked for: whose clock is that?", r.URL.Query().Get("since"))
	}
	w.(http.Flusher).Flush() // the head goes out before the subscription, as with a real engine
	s := make(chan string, 4096)
	f.mu.Lock()
	f.streams[s] = true
	f.filters = r.URL.Query().Get("filters")
	cut := f.cut
	f.mu.Unlock()
	defer f.with(func() { delete(f.streams, s) })
	for {
		select {
		case msg := <-s:
			fmt.Fprintln(w, msg)
			w.(http.Flusher).Flush()
		case <-cut:
			fmt.Fprint(w, `{"Type":"contai`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

// toLine is a line of a listing.
func toLine(o observation) map[string]any {
	status := map[string]string{"running": "Up 5 seconds", "exited": fmt.Sprintf("Exited (%d) 3 seconds ago", o.exitCode)}[o.status]
	if o.health != "" {
		status += " (" + strings.Replace(o.health, "starting", "health: starting", 1) + ")"
	}
	ports := []map[string]any{{"PrivatePort": 53, "Type": "udp"}}
	for _, p := range o.tcpPorts {
		ports = append(ports, map[string]any{"PrivatePort": p, "Type": "tcp"}, map[string]any{"PrivatePort": p, "Type": "tcp", "IP": "::"})
	}
	return map[string]any{
		"Id": o.id, "Names": []string{"/other/alias", "/" + o.name}, "Image": o.image, "ImageID": o.imageID,
		"Created": o.created.Unix(), "Labels": o.labels, "State": o.status, "Status": status, "Ports": ports,
		"HostConfig":      map[string]string{"NetworkMode": o.networkMode},
		"NetworkSettings": toJSON(o)["NetworkSettings"],
	}
}

// toJSON is an inspect answer.
func toJSON(o observation) map[string]any {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return "0001-01-01T00:00:00Z"
		}
		return t.Format(time.RFC3339Nano)
	}
	nets := map[string]any{}
	for _, e := range o.endpoints {
		addr := ""
		if e.ipv4.IsValid() {
			addr = e.ipv4.String()
		}
		nets[e.network] = map[string]string{"NetworkID": e.networkID, "IPAddress": addr}
	}
	exposed := map[string]any{"53/udp": struct{}{}}
	for _, p := range o.tcpPorts {
		exposed[fmt.Sprintf("%d/tcp", p)] = struct{}{}
	}
	return map[string]any{
		"Id": o.id, "Name": "/" + o.name, "Created": stamp(o.created),
		"State":           map[string]any{"Status": o.status, "StartedAt": stamp(o.startedAt), "FinishedAt": stamp(o.finishedAt), "ExitCode": o.exitCode},
		"Config":          map[string]any{"Image": o.image, "Labels": o.labels, "ExposedPorts": exposed},
		"HostConfig":      map[string]string{"NetworkMode": o.networkMode},
		"NetworkSettings": map[string]any{"Networks": nets, "Ports": map[string]any{}},
	}
}

// quick is a provider of the fake with short waits.
func (f *fake) quick(change ...func(*pace)) (*Provider, *recorder) {
	p := New(Config{Host: f.host(), Network: "net", Log: testLog(f.t)})
	p.pace.backoffMin, p.pace.backoffMax = time.Millisecond, 20*time.Millisecond
	p.pace.relist, p.pace.retry = 50*time.Millisecond, 20*time.Millisecond
	p.self = identity{}
	for _, c := range change {
		c(&p.pace)
	}
	return runProvider(f.t, p)
}
