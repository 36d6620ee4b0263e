package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// client is a singer of a moment.
func (c *churn) client(transport *http.Client, modern bool) *singer {
	return &singer{name: fmt.Sprintf("c%d", c.ids.Add(1)), url: c.g.mcp(), modern: modern, http: transport,
		foreign: make(chan string, 4), stop: func() {}}
}

func (c *churn) anyKind() string { return choirKinds[rand.IntN(len(choirKinds))] }

func (c *churn) verse(s *singer, kind, what string, p part) verse {
	p.Mark = s.name + "-" + what
	p.Nonce = p.Mark
	return verse{tool: kind + "__sing", part: p}
}

func well(m *message, err error) error {
	switch {
	case err != nil:
		return err
	case m.text() != "":
		return errors.New(m.text())
	case len(m.Result.Content) != 2:
		return fmt.Errorf("answered %.300s", m.raw)
	}
	return nil
}

// acts are what clients do; each is done again and again, by several at once.
func (c *churn) acts() map[string]func(context.Context, *http.Client) error {
	return map[string]func(context.Context, *http.Client) error{
		"a legacy session that is ended":     func(ctx context.Context, h *http.Client) error { return c.legacy(ctx, h, true) },
		"a legacy session that is left":      func(ctx context.Context, h *http.Client) error { return c.legacy(ctx, h, false) },
		"a modern client's calls":            c.modern,
		"a listen stream":                    c.listen,
		"a call that is cancelled":           c.cancelled,
		"a call that asks":                   c.asks,
		"a stream that is taken up again":    c.resumed,
		"a client of HTTP+SSE":               c.old,
		"a registration that comes and goes": c.registration,
	}
}

func (c *churn) legacy(ctx context.Context, h *http.Client, ends bool) error {
	s := c.client(h, false)
	if err := s.hello(ctx); err != nil {
		return err
	}
	if err := s.stand(ctx, nil); err != nil {
		return err
	}
	defer s.leave()
	uri := c.stable["legacy"].note()
	if err := s.say(ctx, `{"jsonrpc":"2.0","id":"w","method":"resources/subscribe","params":{"uri":"`+uri+`"}}`); err != nil {
		return err
	}
	for i := range 2 {
		if err := well(s.sing(ctx, c.verse(s, c.anyKind(), strconv.Itoa(i), part{Progress: 4, Logs: 2, Pad: 500}))); err != nil {
			return err
		}
	}
	if !ends {
		return nil
	}
	req, _ := http.NewRequestWithContext(ctx, http.MethodDelete, s.url, nil)
	req.Header.Set("Mcp-Session-Id", s.session)
	resp, err := h.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func (c *churn) modern(ctx context.Context, h *http.Client) error {
	s := c.client(h, true)
	return well(s.sing(ctx, c.verse(s, c.anyKind(), "1", part{Progress: 4, Logs: 2, Asks: true, Pad: 500})))
}

func (c *churn) listen(ctx context.Context, h *http.Client) error {
	s := c.client(h, true)
	acknowledged := make(chan struct{})
	var once sync.Once
	if err := s.stand(ctx, func(*message) { once.Do(func() { close(acknowledged) }) }, c.stable[c.anyKind()].note()); err != nil {
		return err
	}
	defer s.leave()
	select {
	case <-acknowledged:
		return nil
	case <-time.After(patience):
		return errors.New("no acknowledgement")
	}
}

func (c *churn) cancelled(ctx context.Context, h *http.Client) error {
	s := c.client(h, true)
	kind := c.anyKind()
	v := c.verse(s, kind, "hangs", part{Hangs: true})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.on = func(*message) { cancel() }
	if m, err := s.sing(ctx, v); err == nil {
		return fmt.Errorf("a call that hangs was answered %.300s", m.raw)
	}
	for deadline := time.Now().Add(patience); c.stable[kind].how(v.part.Nonce) != "cancelled"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the backend heard of no cancellation")
		}
	}
	return nil
}

var errEnough = errors.New("this was done often enough")

// asks leaves the question of a call open, at a backend that will be gone soon.
func (c *churn) asks(ctx context.Context, h *http.Client) error {
	if c.parked.Add(1) > 700 { // so many may wait at once, for some minutes
		return errEnough
	}
	s := c.client(h, true)
	s.auth = fmt.Sprintf("Bearer %d", c.parked.Load()/100)
	name := fmt.Sprintf("asks%d", c.ids.Add(1))
	if err := c.register(ctx, name, c.spare[1+rand.IntN(len(c.spare)-1)]); err != nil {
		return err
	}
	defer c.remove(ctx, name)
	m, err := s.sing(ctx, c.verse(s, name, "silent", part{Asks: true}))
	if err != nil {
		return err
	}
	if m.Result.Type != "input_required" {
		return fmt.Errorf("answered %.300s", m.raw)
	}
	return nil
}

func (c *churn) resumed(ctx context.Context, h *http.Client) error {
	s := c.client(h, false)
	if err := s.hello(ctx); err != nil {
		return err
	}
	v := c.verse(s, "legacy", "silent", part{Asks: true, Progress: 2})
	call, cut := context.WithCancel(ctx)
	defer cut()
	resp, err := s.post(call, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+v.tool+`","arguments":`+v.arguments()+`,`+s.meta(`"`+v.part.Mark+`"`)+`}}`, "", "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	last := ""
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("before the question: %w", err)
		}
		if id, ok := strings.CutPrefix(line, "id:"); ok {
			last = strings.TrimSpace(id)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && strings.Contains(data, "elicitation/create") {
			cut()
			id := get([]byte(data), "id")
			if err := s.say(ctx, `{"jsonrpc":"2.0","id":`+string(id)+`,"result":`+accept(v.part.Mark)+`}`); err != nil {
				return err
			}
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Mcp-Session-Id", s.session)
	req.Header.Set("Last-Event-Id", last)
	again, err := h.Do(req)
	if err != nil {
		return err
	}
	defer again.Body.Close()
	for stream := newSSEReader(again.Body); ; {
		_, data, err := stream.next()
		if err != nil {
			return fmt.Errorf("the resumed stream: %w", err)
		}
		if get(data, "result", "content") != nil {
			return nil
		}
	}
}

func (c *churn) old(ctx context.Context, h *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.g.url+"/sse", nil)
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	stream := newSSEReader(resp.Body)
	_, address, err := stream.next()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("c%d", c.ids.Add(1))
	for _, step := range []string{`"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"old","version":"1"}}`,
		`"method":"tools/call","params":{"name":"` + c.anyKind() + `__sing","arguments":{"mark":"` + name + `","nonce":"` + name + `"}}`} {
		resp, err := h.Post(c.g.url+string(address), "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,`+step+`}`))
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		for {
			_, data, err := stream.next()
			if err != nil {
				return err
			}
			if string(get(data, "result", "isError")) == "true" || get(data, "error") != nil {
				return fmt.Errorf("%s", data)
			}
			if get(data, "result") != nil {
				break
			}
		}
	}
	return nil
}

func (c *churn) registration(ctx context.Context, h *http.Client) error {
	name := fmt.Sprintf("spare%d", rand.IntN(3))
	if err := c.register(ctx, name, c.spare[rand.IntN(len(c.spare))]); err != nil {
		return err
	}
	s := c.client(h, rand.IntN(2) == 0)
	if !s.modern {
		if err := s.hello(ctx); err != nil {
			return err
		}
	}
	// It may be replaced at this moment by another: only that it ends is certain.
	if _, err := s.sing(ctx, c.verse(s, name, "1", part{Progress: 2})); err != nil {
		return err
	}
	c.remove(ctx, name)
	return nil
}

func (c *churn) register(ctx context.Context, name string, to *choir) error {
	return c.rest(ctx, http.MethodPost, "/api/backends", fmt.Sprintf(`{"name":%q,"url":%q,"transport":%q}`, name, to.url(), to.transport()))
}

func (c *churn) remove(ctx context.Context, name string) {
	_ = c.rest(context.WithoutCancel(ctx), http.MethodDelete, "/api/backends/"+name, "") // another may have been quicker
}

func (c *churn) rest(ctx context.Context, method, path, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, c.g.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: HTTP %d %s", method, path, resp.StatusCode, text)
	}
	return nil
}
