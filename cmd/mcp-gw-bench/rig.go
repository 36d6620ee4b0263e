package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/engine"
	"mcp-gw/cmd/mcp-gw-bench/internal/subject"
	"mcp-gw/cmd/mcp-gw-bench/internal/watcher"
)

// rig is what the rows measure with: an engine, a gateway that watches it, and a
// client that is told of changes.
type rig struct {
	*discoveryCommand
	engine *engine.Engine
	gw     *subject.Gateway
	client *watcher.Watcher
	start  func(context.Context, ...string) (*subject.Gateway, error)
	crowd  []string // ids of containers that a later row uses too
}

// afresh puts a new gateway, and a client of it, in the place of the one that is there.
func (r *rig) afresh(ctx context.Context) error {
	err := r.client.Close()
	r.gw.Stop()
	gw, failed := r.start(ctx)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	r.gw = gw
	client, err := r.connect(ctx, gw.URL)
	if err == nil {
		r.client = client
	}
	return err
}

// named makes a container with one backend of its name, and what removes it.
func (r *rig) named(ctx context.Context, name string, env ...string) (id string, remove func(*error), err error) {
	id, err = r.engine.Create(ctx, name, map[string]string{"mcp-gw.port": "8080", "mcp-gw.name": name}, env...)
	return id, func(err *error) {
		if id != "" {
			*err = errors.Join(*err, r.engine.Remove(context.WithoutCancel(ctx), id))
		}
	}, err
}

// awaited is a tool that is waited for in the background, so that one that comes before
// the waiting would begin is seen, too.
type awaited struct {
	at  time.Time
	err error
}

func (r *rig) await(ctx context.Context, tool string, listed bool) <-chan awaited {
	r.client.Forget()
	seen := make(chan awaited, 1)
	go func() {
		at, err := r.client.Await(ctx, tool, listed, r.Limit)
		seen <- awaited{at, err}
	}()
	return seen
}

// up starts a container with a backend of that name and waits until its tools are
// listed and it has rested.
func (r *rig) up(ctx context.Context, id, name string) error {
	seen := r.await(ctx, name+"__time_in", true)
	err := r.engine.Start(ctx, id)
	s := <-seen
	if err = errors.Join(err, s.err); err != nil {
		return err
	}
	return pause(ctx, r.Rest)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// call is one call of a tool and how it ended.
type call struct {
	from, to time.Time
	answered bool
	text     string // of one that was refused
}

// calls makes calls of a backend one after the other, until stop.
type calls struct {
	mu   sync.Mutex // guards all
	all  []call
	stop func()
}

// hammer calls a backend's tool without a pause, from a few clients at once.
func (r *rig) hammer(ctx context.Context, name string) *calls {
	ctx, cancel := context.WithCancel(ctx)
	c := &calls{}
	var work sync.WaitGroup
	const clients = 3
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	for range clients {
		work.Go(func() {
			for ctx.Err() == nil {
				one := r.one(ctx, web, name)
				if ctx.Err() != nil {
					return
				}
				c.mu.Lock()
				c.all = append(c.all, one)
				c.mu.Unlock()
				if !one.answered { // what is refused at once is refused very often
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	c.stop = func() { cancel(); work.Wait(); web.CloseIdleConnections() }
	return c
}

func (r *rig) one(ctx context.Context, web *http.Client, name string) call {
	tool := name + "__convert"
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":{"value":1,"from":"mi","to":"km"},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"` + stateless + `","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	c := call{from: time.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.gw.URL, strings.NewReader(body))
	if err == nil {
		for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"MCP-Protocol-Version": stateless, "Mcp-Method": "tools/call", "Mcp-Name": tool} {
			req.Header.Set(k, v)
		}
		var res *http.Response
		if res, err = web.Do(req); err == nil {
			var text []byte
			text, err = io.ReadAll(res.Body)
			res.Body.Close()
			c.answered = bytes.Contains(text, []byte("kilomet")) || bytes.Contains(text, []byte("1.609"))
			c.text = string(text)
		}
	}
	c.to = time.Now()
	if err != nil {
		c.text = err.Error()
	}
	return c
}

// answered are the calls that were, in the order of their ends.
func (c *calls) answered() (all []call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if one.answered {
			all = append(all, one)
		}
	}
	return all
}

// refused answers the first call that a clear sentence refused, and that ended after t.
func (c *calls) refused(t time.Time, backend string) (call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := ""
	for _, one := range c.all {
		if one.answered || one.to.Before(t) {
			continue
		}
		if last = one.text; strings.Contains(last, backend) {
			return one, nil
		}
	}
	return call{}, fmt.Errorf("no call was refused with a sentence that names %s: %s", backend, last)
}
