package shim

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/wire"
)

const headerSession = "Mcp-Session-Id"

// clients are sessions with a process each. They are sessions of the legacy era: in
// 2026-07-28 nothing says which requests are of one client.
type clients struct {
	command *command
	cfg     Config
	access  downstream.Access
	log     *slog.Logger
	ending  chan struct{} // closed when endless streams are to end
	endOnce sync.Once
	given   chan *EndedError // why the command is given up

	opening sync.Mutex     // sessions are opened one by one
	reading sync.WaitGroup // what processes write

	mu   sync.Mutex // guards what follows
	byID map[string]*client
	over bool // no session is opened any more
}

func newClients(cfg Config, c *command) *clients {
	return &clients{command: c, cfg: cfg, access: cfg.Access, log: cfg.Log, ending: make(chan struct{}),
		given: make(chan *EndedError, 1), byID: map[string]*client{}}
}

func (t *clients) well() error { return nil }

func (t *clients) endStreams() { t.endOnce.Do(func() { close(t.ending) }) }

// run ends sessions that nobody uses, until ctx ends, and then all.
func (t *clients) run(ctx context.Context) error {
	defer t.reading.Wait()
	defer func() {
		t.mu.Lock()
		t.over = true
		t.mu.Unlock()
		for _, c := range t.all() {
			t.end(c, errEnding)
		}
	}()
	tick := time.NewTicker(max(t.cfg.SessionIdle/10, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case ended := <-t.given:
			return ended
		case <-tick.C:
			for _, c := range t.all() {
				if used, busy := c.use(); !busy && time.Since(used) > t.cfg.SessionIdle {
					t.end(c, errIdle)
				}
			}
		}
	}
}

func (t *clients) all() []*client {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*client, 0, len(t.byID))
	for _, c := range t.byID {
		all = append(all, c)
	}
	return all
}

// Reasons why a session ends.
var (
	errIdle     = errors.New("the session was not used any more")
	errGoodBye  = errors.New("its client ended the session")
	errFull     = errors.New("others needed the room")
	errGone     = errors.New("the server's process ended")
	errLongLine = errors.New("the server wrote a line longer than allowed (MCP_GW_MAX_MESSAGE)")
)

func (t *clients) end(c *client, why error) {
	t.mu.Lock()
	if t.byID[c.id] == c {
		delete(t.byID, c.id)
	}
	t.mu.Unlock()
	c.end(why)
}

// open begins a session: a process of its own.
func (t *clients) open() (*client, error) {
	t.opening.Lock()
	defer t.opening.Unlock()
	if !t.makeRoom() {
		return nil, fmt.Errorf("all %d sessions that there may be are in use", t.cfg.MaxSessions)
	}
	p, err := t.command.start()
	if ended := (*EndedError)(nil); errors.As(err, &ended) {
		select {
		case t.given <- ended:
		default:
		}
	}
	if err != nil {
		return nil, err
	}
	c := newClient(rand.Text(), p, t.cfg.MaxMessage, t.log)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		p.Close()
		return nil, errEnding
	}
	t.byID[c.id] = c
	t.reading.Go(func() { t.end(c, c.read()) })
	return c, nil
}

// makeRoom ends the session that was unused longest when there are as many as there
// may be, and reports whether there is room.
func (t *clients) makeRoom() bool {
	all := t.all()
	if len(all) < t.cfg.MaxSessions {
		return true
	}
	used := map[*client]time.Time{}
	all = slices.DeleteFunc(all, func(c *client) bool {
		at, busy := c.use()
		used[c] = at
		return busy
	})
	if len(all) == 0 {
		return false
	}
	t.end(slices.MinFunc(all, func(a, b *client) int { return cmp.Compare(used[a].UnixNano(), used[b].UnixNano()) }), errFull)
	return true
}

func (t *clients) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := t.access.Check(r); err != nil {
		refuse(w, http.StatusForbidden, nil, codeInvalid, err.Error())
		return
	}
	switch r.Method {
	case http.MethodPost:
		t.post(w, r)
	case http.MethodGet:
		if c := t.session(w, r); c != nil {
			c.stream(w, r, t.ending)
		}
	case http.MethodDelete:
		if c := t.session(w, r); c != nil {
			t.end(c, errGoodBye)
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		refuse(w, http.StatusMethodNotAllowed, nil, codeInvalid, "method not allowed; allowed: GET, POST, DELETE")
	}
}

// session answers the session that a request names, or has refused it.
func (t *clients) session(w http.ResponseWriter, r *http.Request) *client {
	id := r.Header.Get(headerSession)
	if id == "" {
		refuse(w, http.StatusBadRequest, nil, codeNoSession, "Bad Request: this server has sessions; initialize first, and send Mcp-Session-Id")
		return nil
	}
	t.mu.Lock()
	c := t.byID[id]
	t.mu.Unlock()
	if c == nil {
		refuse(w, http.StatusNotFound, nil, codeNoSession, "Session not found: initialize again")
	}
	return c
}

func (t *clients) post(w http.ResponseWriter, r *http.Request) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, nil, codeInvalid, fmt.Sprintf("Content-Type %.100q: application/json is required", r.Header.Get("Content-Type")))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, t.cfg.MaxBody))
	if err != nil {
		status, text := http.StatusBadRequest, "the body could not be read"
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			status, text = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than the %d bytes allowed (MCP_GW_MAX_BODY)", t.cfg.MaxBody)
		}
		refuse(w, status, nil, codeInvalid, text)
		return
	}
	var m wire.Message
	if err := m.Scan(body); err != nil {
		code := codeInvalid
		if errors.Is(err, wire.ErrSyntax) {
			code = codeParse
		}
		refuse(w, http.StatusBadRequest, nil, code, err.Error())
		return
	}
	greeting := m.Kind == wire.KindRequest && m.Method == string(mcp.MethodInitialize) && r.Header.Get(headerSession) == ""
	var c *client
	if greeting {
		if c, err = t.open(); err != nil {
			w.Header().Set("Retry-After", "5")
			refuse(w, http.StatusServiceUnavailable, m.ID.In(m.Raw), codeInternal, err.Error())
			return
		}
	} else if c = t.session(w, r); c == nil {
		return
	}
	if m.Kind != wire.KindRequest {
		if err := c.write(m.Raw); err != nil {
			refuse(w, http.StatusBadGateway, nil, codeInternal, err.Error())
			return
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	call, err := c.call(&m)
	if err != nil {
		refuse(w, http.StatusBadRequest, m.ID.In(m.Raw), codeInvalid, err.Error())
		return
	}
	defer c.forget(call)
	if err := c.write(m.Raw); err != nil {
		refuse(w, http.StatusBadGateway, m.ID.In(m.Raw), codeInternal, err.Error())
		return
	}
	if !greeting {
		call.answer(w, r)
		return
	}
	response, welcome, err := call.response(r.Context())
	if err != nil {
		t.end(c, err)
		refuse(w, http.StatusBadGateway, m.ID.In(m.Raw), codeInternal, err.Error())
		return
	}
	if welcome {
		w.Header().Set(headerSession, c.id)
	} else {
		t.end(c, errGoodBye)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(response) // who has left reads nothing
}
