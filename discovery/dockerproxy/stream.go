package dockerproxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mcp-gw/discovery/docker"
)

// events passes on what concerns the gateway, each event as soon as it is there.
func (p *Proxy) events(w http.ResponseWriter, r *http.Request, a ask) error {
	resp, err := p.engine.do(r.Context(), http.MethodGet, a.version+"/events", a.query)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	rc := http.NewResponseController(w)
	send := func(body []byte) error {
		_ = rc.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := w.Write(body); err != nil {
			return err
		}
		return rc.Flush()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if err := send(nil); err != nil {
		return nil // nobody listens
	}
	s := sight{p: p, from: caller(r)}
	// However it ends, the client sees the end of the stream and asks anew.
	_ = lines(json.NewDecoder(resp.Body), func(e eventShape) error {
		switch e.Type {
		case "container":
			if !s.sees(r.Context(), e) {
				return nil
			}
		case "network":
			if !p.ours(e.Actor.Attributes["name"]) {
				return nil
			}
			if id := e.Actor.Attributes["container"]; id != "" {
				s.moved(id, e.Action == "connect")
			}
		case "daemon":
		default:
			return nil
		}
		if !p.reduce(&e) {
			return nil
		}
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		return send(append(body, '\n'))
	})
	return nil
}

// attach joins the client to the standard streams of a container whose labels
// say that it speaks MCP there.
func (p *Proxy) attach(w http.ResponseWriter, r *http.Request, a ask) error {
	c, err := p.reachable(r.Context(), a)
	switch {
	case err != nil:
		return err
	case !docker.MayAttach(p.cfg.LabelPrefix, c.Config.Labels):
		return engineError{http.StatusForbidden, "403 Forbidden: docker-proxy attaches only to containers with the label " + p.cfg.LabelPrefix + ".transport=stdio, and without " + p.cfg.LabelPrefix + ".stdio.mode=exec"}
	case !p.onNetwork(c.HostConfig.NetworkMode, c.NetworkSettings):
		return engineError{http.StatusForbidden, "403 Forbidden: docker-proxy attaches only to containers on the network " + p.cfg.Network}
	}
	// By the id that was looked at: a name may have passed on by now.
	return p.join(w, r, a.version+"/containers/"+c.Id+"/attach", a.query, nil)
}

// reachable answers a container that something may be asked of besides how it is.
func (p *Proxy) reachable(ctx context.Context, a ask) (c containerShape, err error) {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	err = p.engine.get(ctx, a.version+"/containers/"+a.id+"/json", nil, &c)
	var said engineError
	switch {
	case errors.As(err, &said) && said.status == http.StatusNotFound:
		return c, errNoContainer(a.id)
	case err != nil:
		return c, err
	case c.Config == nil || c.HostConfig == nil || !p.onNetwork(c.HostConfig.NetworkMode, c.NetworkSettings) && !p.labelled(c.Config.Labels):
		return c, errNoContainer(a.id)
	}
	return c, nil
}

// join asks the engine for a raw stream, and copies both ways until either side ends.
func (p *Proxy) join(w http.ResponseWriter, r *http.Request, path string, query url.Values, body []byte) error {
	ctx, cancel := context.WithTimeout(r.Context(), engineTime)
	defer cancel()
	engineSide, fromEngine, resp, err := p.engine.hijack(ctx, path, query, body)
	if err != nil {
		return err
	}
	defer engineSide.Close()
	p.attached.Add(1) // while the server still waits for this request
	defer p.attached.Done()
	clientSide, fromClient, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer clientSide.Close()
	_ = clientSide.SetDeadline(time.Now().Add(writeTime))
	head := "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
	switch media := resp.Header.Get("Content-Type"); media {
	case "application/vnd.docker.multiplexed-stream", "application/vnd.docker.raw-stream":
		head += "Content-Type: " + media + "\r\n"
	}
	if _, err := io.WriteString(clientSide, head+"\r\n"); err != nil {
		return nil
	}
	_ = clientSide.SetDeadline(time.Time{})

	// The request's context ends with the proxy; both copies end with the connections.
	defer context.AfterFunc(r.Context(), func() { _, _ = clientSide.Close(), engineSide.Close() })()
	var typing sync.WaitGroup
	typing.Go(func() {
		_, _ = io.Copy(engineSide, fromClient)
		closeWrite(engineSide)
	})
	_, _ = io.Copy(clientSide, fromEngine)
	// The process has ended, or the engine has: nothing is left to say.
	_, _ = clientSide.Close(), engineSide.Close()
	typing.Wait()
	return nil
}

func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}
