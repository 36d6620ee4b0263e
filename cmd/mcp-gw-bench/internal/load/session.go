package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

const modern = "2026-07-28"

// session is one MCP client.
type session struct {
	cfg     *Config
	n       int // its number
	conn    conn
	path    string
	host    string
	version string // negotiated
	id      int64  // of the latest request; always ten digits

	req     []byte // the request sent over and over, but for the bytes at ids
	ids     []int  // where the request's id stands in req
	payload []byte // raw JSON string that every answer must carry; has the id too
	payIDs  []int  // where the id stands in payload
	inits   int    // sessions opened
}

func newSession(cfg *Config, n int) (*session, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" || u.Port() == "" {
		return nil, fmt.Errorf("%s: want http://host:port/path", cfg.URL)
	}
	return &session{cfg: cfg, n: n, path: u.RequestURI(), host: u.Host,
		id:   1_000_000_000 + int64(n)*10_000_000,
		conn: conn{addr: u.Host, timeout: cfg.Timeout}}, nil
}

// open performs the handshake and prepares the request that do repeats.
func (s *session) open(ctx context.Context) error {
	s.inits++
	s.conn.session = ""
	if s.cfg.Version >= modern {
		s.version = s.cfg.Version
	} else {
		s.version = ""
		res, err := s.call(ctx, "initialize", "", `{"protocolVersion":"`+s.cfg.Version+
			`","capabilities":{},"clientInfo":{"name":"mcp-gw-bench","version":"1.0.0"}}`)
		if err != nil {
			return fmt.Errorf("initialize: %w", err)
		}
		s.version, _ = strconv.Unquote(string(rawjson.Get(res, "protocolVersion")))
		if s.version == "" {
			return fmt.Errorf("initialize: no protocolVersion in %.200s", res)
		}
		status, err := s.conn.send(ctx, s.request("notifications/initialized", "", `{"jsonrpc":"2.0","method":"notifications/initialized"}`))
		if err != nil {
			return fmt.Errorf("notifications/initialized: %w", err)
		}
		if status/100 != 2 {
			return fmt.Errorf("notifications/initialized: HTTP %d: %.200s", status, s.conn.body)
		}
	}
	s.prepare()
	return nil
}

// close ends the session at the server's, as a good client does.
func (s *session) close(ctx context.Context) {
	if s.conn.session != "" && s.version < modern {
		// A server that does not want to hear it is none of our business.
		_, _ = s.conn.send(ctx, []byte("DELETE "+s.path+" HTTP/1.1\r\nHost: "+s.host+"\r\n"+s.headers()+"\r\n"))
	}
	s.conn.close()
}

func (s *session) headers() string {
	var b strings.Builder
	if s.version != "" {
		b.WriteString("MCP-Protocol-Version: " + s.version + "\r\n")
	}
	if s.conn.session != "" && s.version < modern {
		b.WriteString("Mcp-Session-Id: " + s.conn.session + "\r\n")
	}
	for k, v := range s.cfg.Header {
		b.WriteString(k + ": " + v + "\r\n")
	}
	return b.String()
}

func (s *session) request(method, name, body string) []byte {
	var b bytes.Buffer
	b.WriteString("POST " + s.path + " HTTP/1.1\r\nHost: " + s.host + "\r\n" +
		"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" + s.headers())
	if s.version >= modern {
		b.WriteString("Mcp-Method: " + method + "\r\n")
		if name != "" {
			b.WriteString("Mcp-Name: " + name + "\r\n")
		}
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	return b.Bytes()
}

func (s *session) envelope(method, params string) string {
	if s.version >= modern {
		meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + s.version +
			`","io.modelcontextprotocol/clientInfo":{"name":"mcp-gw-bench","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}`
		if params == "{}" {
			params = "{" + meta + "}"
		} else {
			params = "{" + meta + "," + params[1:]
		}
	}
	return `{"jsonrpc":"2.0","id":` + strconv.FormatInt(s.id, 10) + `,"method":"` + method + `","params":` + params + `}`
}

// call sends one request, off the hot path, and returns its raw result.
func (s *session) call(ctx context.Context, method, name, params string) ([]byte, error) {
	s.id++
	status, err := s.conn.send(ctx, s.request(method, name, s.envelope(method, params)))
	if err != nil {
		return nil, err
	}
	return s.result(status)
}

// result returns the raw result of the latest answer.
func (s *session) result(status int) ([]byte, error) {
	if status != http.StatusOK {
		return nil, &answerError{"HTTP " + strconv.Itoa(status), string(s.conn.body[:min(300, len(s.conn.body))])}
	}
	var id [10]byte
	strconv.AppendInt(id[:0], s.id, 10)
	msg, err := s.conn.message(id[:])
	if err != nil {
		return nil, err
	}
	var got, result, fail []byte
	rawjson.Fields(msg, func(k, v []byte) bool {
		switch string(k) {
		case "id":
			got = v
		case "result":
			result = v
		case "error":
			fail = v
		}
		return true
	})
	switch {
	case fail != nil:
		return nil, &answerError{"JSON-RPC error", string(fail[:min(300, len(fail))])}
	case result == nil:
		return nil, &answerError{"no result", fmt.Sprintf("%.200s", msg)}
	case !bytes.Equal(got, id[:]):
		return nil, &answerError{"another request's answer", fmt.Sprintf("got id %s, want %s", got, id)}
	}
	return result, nil
}

func messageID(msg []byte) []byte { return rawjson.Get(msg, "id") }

// answerError is an answer that came but is not the right one.
type answerError struct{ kind, detail string }

func (e *answerError) Error() string { return e.kind + ": " + e.detail }
