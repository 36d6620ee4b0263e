package dockerproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mcp-gw/discovery/docker"
)

// caller is the address that a request came from; invalid when it cannot be told.
func caller(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || at.Addr().IsLoopback() {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// errNoContainer is the answer for containers that do not exist and for those
// that are none of the gateway's business: nobody can tell which.
func errNoContainer(id string) error {
	return engineError{http.StatusNotFound, "No such container: " + id}
}

func (p *Proxy) ping(ctx context.Context, w http.ResponseWriter, method string, a ask) error {
	resp, err := p.engine.do(ctx, method, a.version+"/_ping", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for _, h := range []string{"Api-Version", "Ostype", "Docker-Experimental", "Builder-Version", "Swarm", "Server", "Libpod-Api-Version", "Cache-Control", "Pragma"} {
		if v := resp.Header.Get(h); v != "" {
			w.Header().Set(h, v)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("OK"))
	return nil
}

// look answers what is asked, reduced to what the gateway reads.
func (p *Proxy) look(ctx context.Context, a ask, from netip.Addr) (any, error) {
	switch a.kind {
	case version:
		var v versionShape
		err := p.engine.get(ctx, a.version+"/version", nil, &v)
		return v, err
	case info:
		var i infoShape
		err := p.engine.get(ctx, a.version+"/info", nil, &i)
		return i, err
	case listContainers:
		return p.list(ctx, a, from)
	case inspectContainer:
		return p.inspect(ctx, a, from)
	case listNetworks:
		return p.networks(ctx, a)
	case inspectNetwork:
		return p.network(ctx, a)
	case listServices:
		return p.services(ctx, a)
	case inspectExec:
		return p.inspectExec(ctx, a)
	}
	return nil, fmt.Errorf("no answer for request kind %d", a.kind)
}

func (p *Proxy) list(ctx context.Context, a ask, from netip.Addr) ([]rowShape, error) {
	var rows []rowShape
	if err := p.engine.get(ctx, a.version+"/containers/json", a.query, &rows); err != nil {
		return nil, err
	}
	all := rows
	if on := a.query.Get("all"); on != "1" && on != "true" {
		// Whom a container shares its network with may be stopped.
		var err error
		if all, err = p.everything(ctx); err != nil {
			return nil, err
		}
	}
	visible := p.visible(all, from)
	rows = slices.DeleteFunc(rows, func(r rowShape) bool { return !visible[r.Id] })
	for i := range rows {
		rows[i].Labels = p.keepLabels(rows[i].Labels)
	}
	if rows == nil {
		rows = []rowShape{} // none, rather than null
	}
	return rows, nil
}

// everything lists all containers, for the proxy's own eyes.
func (p *Proxy) everything(ctx context.Context) ([]rowShape, error) {
	var rows []rowShape
	err := p.engine.get(ctx, "/containers/json", url.Values{"all": {"1"}}, &rows)
	return rows, err
}

// visible are the ids of the containers that the gateway may know of: those on
// its network, those labelled for it, the one that asks, and those that share
// the network of one of these, in either direction.
func (p *Proxy) visible(rows []rowShape, from netip.Addr) map[string]bool {
	direct := map[string]bool{}
	for _, r := range rows {
		if p.onNetwork(r.HostConfig.NetworkMode, r.NetworkSettings) || p.labelled(r.Labels) || has(r.NetworkSettings, from) {
			direct[r.Id] = true
		}
	}
	visible := map[string]bool{}
	for id := range direct {
		visible[id] = true
	}
	for _, r := range rows {
		other, ok := strings.CutPrefix(r.HostConfig.NetworkMode, "container:")
		if !ok {
			continue
		}
		i := slices.IndexFunc(rows, func(o rowShape) bool { return o.Id == other || slices.Contains(o.Names, "/"+other) })
		if i < 0 {
			continue
		}
		if direct[r.Id] {
			visible[rows[i].Id] = true
		}
		if direct[rows[i].Id] {
			visible[r.Id] = true
		}
	}
	return visible
}

// has reports whether addr is one of the container's.
func has(s *networkSettingsShape, addr netip.Addr) bool {
	if s == nil || !addr.IsValid() {
		return false
	}
	for _, e := range s.Networks {
		if e != nil && (e.IPAddress == addr.String() || e.GlobalIPv6Address == addr.String()) {
			return true
		}
	}
	return false
}

func (p *Proxy) inspect(ctx context.Context, a ask, from netip.Addr) (containerShape, error) {
	var c containerShape
	if err := p.engine.get(ctx, a.version+"/containers/"+a.id+"/json", nil, &c); err != nil {
		if said, ok := err.(engineError); ok && said.status == http.StatusNotFound {
			err = errNoContainer(a.id)
		}
		return containerShape{}, err
	}
	if c.Config == nil || c.HostConfig == nil {
		return containerShape{}, fmt.Errorf("the engine's answer to inspect lacks Config or HostConfig")
	}
	if !p.onNetwork(c.HostConfig.NetworkMode, c.NetworkSettings) && !p.labelled(c.Config.Labels) && !has(c.NetworkSettings, from) {
		rows, err := p.everything(ctx)
		if err != nil {
			return containerShape{}, err
		}
		if !p.visible(rows, from)[c.Id] {
			return containerShape{}, errNoContainer(a.id)
		}
	}
	c.Config.Labels = p.keepLabels(c.Config.Labels)
	return c, nil
}

func (p *Proxy) networks(ctx context.Context, a ask) ([]networkShape, error) {
	var all []networkShape
	query := a.query
	if query.Get("filters") == "" {
		query = url.Values{"filters": {filterArgs{"name": docker.Networks(p.cfg.Network)}.encode()}}
	}
	if err := p.engine.get(ctx, a.version+"/networks", query, &all); err != nil {
		return nil, err
	}
	out := []networkShape{}
	for _, n := range all {
		if p.ours(n.Name) {
			out = append(out, n)
		}
	}
	return out, nil
}

func (p *Proxy) network(ctx context.Context, a ask) (networkShape, error) {
	var n networkShape
	err := p.engine.get(ctx, a.version+"/networks/"+a.id, nil, &n)
	said, ok := err.(engineError)
	if ok && said.status == http.StatusNotFound || err == nil && !p.ours(n.Name) {
		err = engineError{http.StatusNotFound, "No such network: " + a.id}
	}
	if err != nil {
		return networkShape{}, err
	}
	return n, nil
}

// services are those whose own labels speak of the gateway: labels that were
// meant for their containers.
func (p *Proxy) services(ctx context.Context, a ask) ([]serviceShape, error) {
	var all []serviceShape
	if err := p.engine.get(ctx, a.version+"/services", nil, &all); err != nil {
		return nil, err
	}
	out := []serviceShape{}
	for _, s := range all {
		if p.labelled(s.Spec.Labels) {
			s.Spec.Labels = p.keepLabels(s.Spec.Labels)
			out = append(out, s)
		}
	}
	return out, nil
}

// sight is what one event stream knows of who is visible.
type sight struct {
	p     *Proxy
	from  netip.Addr
	known map[string]bool // listed → visible; nil: to be listed anew
}

// sees reports whether a container event may be told. Labels come with the event,
// so that only containers without any of ours cost a listing, once each.
func (s *sight) sees(ctx context.Context, e eventShape) bool {
	id := e.Actor.ID
	if s.p.labelled(e.Actor.Attributes) {
		if e.Action == "create" {
			s.known = nil // it may share the network of one that was of no interest
		}
		return true
	}
	seen, listed := s.known[id]
	if !listed || s.known == nil {
		rows, err := s.p.everything(ctx)
		if err != nil {
			// An engine that is going down tells of deaths and lists no more. What
			// was visible may be told, the rest not.
			return seen
		}
		visible := s.p.visible(rows, s.from)
		old := s.known
		s.known = make(map[string]bool, len(rows))
		for _, r := range rows {
			s.known[r.Id] = visible[r.Id]
		}
		if _, still := s.known[id]; !still {
			s.known[id] = old[id] // gone already
		}
		seen = s.known[id]
	}
	if e.Action == "destroy" || e.Action == "remove" {
		delete(s.known, id)
	}
	return seen
}

// moved takes note that a container joined or left our network.
func (s *sight) moved(id string, joined bool) {
	if s.known == nil {
		return
	}
	if joined {
		s.known[id] = true
	} else {
		delete(s.known, id)
	}
}

// lines decodes one JSON value after the other.
func lines(r *json.Decoder, each func(eventShape) error) error {
	for {
		var e eventShape
		if err := r.Decode(&e); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
}
