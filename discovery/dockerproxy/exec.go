package dockerproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"mcp-gw/discovery/docker"
)

// execRequest is all that may be asked of a command: no terminal, no privileges, no
// other user and folder. The members that are not pointers have to be what they are by
// themselves.
type execRequest struct {
	Cmd, Env                                []string
	AttachStdin, AttachStdout, AttachStderr bool

	User, DetachKeys, WorkingDir string
	Privileged, Tty, Detach      bool
	ConsoleSize                  *[2]uint
}

type execStartRequest struct {
	Detach, Tty bool
	ConsoleSize *[2]uint
}

// createExec prepares a command that the labels of a container name, or what ends such
// commands, and remembers it: of others nothing is started.
func (p *Proxy) createExec(w http.ResponseWriter, r *http.Request, a ask) error {
	var want execRequest
	if err := readBody(r, &want); err != nil {
		return refused(err.Error())
	}
	c, err := p.reachable(r.Context(), a)
	switch {
	case err != nil:
		return err
	case !docker.MayExec(p.cfg.LabelPrefix, c.Config.Labels, want.Cmd, want.Env):
		return refused("docker-proxy starts no command but the one of the label " + p.cfg.LabelPrefix + ".stdio.command, with " + p.cfg.LabelPrefix + ".stdio.mode=exec")
	case !p.onNetwork(c.HostConfig.NetworkMode, c.NetworkSettings):
		return refused("docker-proxy starts commands only in containers on the network " + p.cfg.Network)
	}
	plain := execRequest{Cmd: want.Cmd, Env: want.Env, AttachStdin: true, AttachStdout: true, AttachStderr: true}
	if asked, ours := encoded(want), encoded(plain); !bytes.Equal(asked, ours) {
		return refused("docker-proxy starts commands as the container's user, without privileges, terminal and folder, and with all standard streams")
	}
	ctx, cancel := context.WithTimeout(r.Context(), engineTime)
	defer cancel()
	var made struct{ Id string }
	if err := p.engine.post(ctx, a.version+"/containers/"+c.Id+"/exec", plain, &made); err != nil {
		return err
	}
	p.execs.add(made.Id)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(made) // the client is gone, nobody to tell
	return nil
}

// startExec starts a command that was prepared here, and joins the client to it.
func (p *Proxy) startExec(w http.ResponseWriter, r *http.Request, a ask) error {
	var want execStartRequest
	switch err := readBody(r, &want); {
	case err != nil:
		return refused(err.Error())
	case want != execStartRequest{}:
		return refused("docker-proxy starts commands without a terminal, and stays with them")
	case !p.execs.has(a.id):
		return errNoCommand(a.id)
	}
	return p.join(w, r, a.version+"/exec/"+a.id+"/start", nil, encoded(want))
}

func (p *Proxy) inspectExec(ctx context.Context, a ask) (x execShape, err error) {
	if !p.execs.has(a.id) {
		return x, errNoCommand(a.id)
	}
	err = p.engine.get(ctx, a.version+"/exec/"+a.id+"/json", nil, &x)
	return x, err
}

func errNoCommand(id string) error {
	return engineError{http.StatusNotFound, "No such exec instance: " + id}
}

func refused(why string) error { return engineError{http.StatusForbidden, "403 Forbidden: " + why} }

// readBody decodes a body, which must have nothing that out does not name. It reads all
// of it: what is left would be the beginning of a stream.
func readBody(r *http.Request, out any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err == nil {
		err = d.Decode(out)
	}
	if err != nil || d.More() {
		return errors.New("its body is not what docker-proxy passes on")
	}
	return nil
}

func encoded(v any) []byte {
	b, _ := json.Marshal(v) // of strings and booleans, cannot fail
	return b
}

// execs are the ids of the commands that were prepared, at most maxExecs: of the oldest
// nothing is known any more.
type execs struct {
	mu  sync.Mutex // guards ids
	ids []string
}

const maxExecs = 4096

func (e *execs) add(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ids) == maxExecs {
		e.ids = slices.Delete(e.ids, 0, maxExecs/2)
	}
	e.ids = append(e.ids, id)
}

func (e *execs) has(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.ids, id)
}
