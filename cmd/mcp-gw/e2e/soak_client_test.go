package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// singer is a client for soak tests. It says its name in everything that it sends,
// answers what it is asked, and finds messages that are meant for another.
type singer struct {
	name    string
	url     string
	modern  bool
	session string
	auth    string
	http    *http.Client
	ids     atomic.Int64

	heard   atomic.Int64 // messages of all kinds
	logs    atomic.Int64
	foreign chan string // messages that were another's, as far as they are kept

	stop context.CancelFunc
	work sync.WaitGroup // the standing stream
}

// newSinger makes a client that has not said a word yet.
func newSinger(t *testing.T, url, name string, modern bool) *singer {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	s := &singer{name: name, url: url, modern: modern, foreign: make(chan string, 32),
		http: &http.Client{Transport: transport}, stop: func() {}}
	t.Cleanup(func() { s.leave(); transport.CloseIdleConnections() })
	return s
}

// join is newSinger, and opens the session of a legacy client, with its stream.
func joinSinger(t *testing.T, url, name string, modern bool) *singer {
	t.Helper()
	s := newSinger(t, url, name, modern)
	if modern {
		return s
	}
	if err := s.hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.stand(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// hello opens the session of a legacy client.
func (s *singer) hello(ctx context.Context) error {
	resp, err := s.post(ctx, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{}}},"clientInfo":{"name":"`+s.name+`","version":"1"}}}`, "", "")
	if err != nil {
		return err
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	s.session = resp.Header.Get("Mcp-Session-Id")
	if s.session == "" {
		return fmt.Errorf("initialize: HTTP %d %s", resp.StatusCode, text)
	}
	for _, body := range []string{`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":"level","method":"logging/setLevel","params":{"level":"debug"}}`} {
		if err := s.say(ctx, body); err != nil {
			return err
		}
	}
	return nil
}

// say posts something to which the answer is of no interest, save that it is good.
func (s *singer) say(ctx context.Context, body string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := s.post(ctx, body, "", "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 || strings.Contains(string(text), `"error":`) {
		return fmt.Errorf("%.200s: HTTP %d %.500s", body, resp.StatusCode, text)
	}
	return nil
}

// stand opens the standing stream: GET, or listen with these URIs. onMessage, when it
// is not nil, gets what comes.
func (s *singer) stand(ctx context.Context, onMessage func(*message), uris ...string) error {
	s.leave()
	ctx, cancel := context.WithCancel(ctx)
	s.stop = cancel
	var req *http.Request
	if s.modern {
		quoted, _ := json.Marshal(uris)
		resp, err := s.post(ctx, `{"jsonrpc":"2.0","id":"listen","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":`+string(quoted)+`},`+s.meta("")+`}}`, "subscriptions/listen", "")
		if err != nil {
			cancel()
			return err
		}
		return s.read(ctx, resp, onMessage)
	}
	req, _ = http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Mcp-Session-Id", s.session)
	resp, err := s.http.Do(req)
	if err != nil {
		cancel()
		return err
	}
	return s.read(ctx, resp, onMessage)
}

func (s *singer) read(ctx context.Context, resp *http.Response, onMessage func(*message)) error {
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		return fmt.Errorf("standing stream: HTTP %d %s", resp.StatusCode, text)
	}
	s.work.Go(func() {
		defer resp.Body.Close()
		for stream := newSSEReader(resp.Body); ; {
			_, data, err := stream.next()
			if err != nil {
				return
			}
			m, err := s.take(ctx, data, "", "")
			if err != nil {
				s.complain("on the standing stream: " + err.Error())
			}
			if m != nil && onMessage != nil {
				onMessage(m)
			}
		}
	})
	return nil
}

// leave ends the standing stream.
func (s *singer) leave() {
	s.stop()
	s.work.Wait()
}

func (s *singer) complain(what string) {
	select {
	case s.foreign <- s.name + " got " + what:
	default:
	}
}

// complaints reports what was another's.
func (s *singer) complaints(t *testing.T) {
	for {
		select {
		case what := <-s.foreign:
			t.Error(what)
		default:
			return
		}
	}
}

func (s *singer) meta(token string) string {
	meta := ""
	if s.modern {
		meta = `"io.modelcontextprotocol/protocolVersion":"` + modernVersion + `","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}},` +
			`"io.modelcontextprotocol/clientInfo":{"name":"soak","version":"1"},"io.modelcontextprotocol/logLevel":"debug"`
	}
	if token != "" {
		meta = join(meta, `"progressToken":`+token)
	}
	return `"_meta":{` + meta + `}`
}

func (s *singer) post(ctx context.Context, body, method, name string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if s.auth != "" {
		req.Header.Set("Authorization", s.auth)
	}
	switch {
	case s.modern:
		req.Header.Set("MCP-Protocol-Version", modernVersion)
		req.Header.Set("Mcp-Method", method)
		if name != "" {
			req.Header.Set("Mcp-Name", name)
		}
	case s.session != "":
		req.Header.Set("Mcp-Session-Id", s.session)
	}
	return s.http.Do(req)
}
