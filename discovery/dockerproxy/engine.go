package dockerproxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Bounds on what the engine answers. A list of some thousand containers has ten
// megabytes or so.
const (
	maxAnswer  = 64 << 20
	maxMessage = 64 << 10
	pingTime   = 2 * time.Second
	dialTime   = 5 * time.Second
)

// engine speaks to the engine behind the socket. The path is opened anew for
// every connection, so that a socket that was replaced in a mounted directory is
// found.
type engine struct {
	socket string
	client *http.Client
}

func newEngine(socket string) *engine {
	e := &engine{socket: socket}
	e.client = &http.Client{
		Transport: &http.Transport{
			DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) },
			ResponseHeaderTimeout: engineTime, MaxIdleConns: maxRequests, MaxIdleConnsPerHost: maxRequests,
			IdleConnTimeout: idleTime, DisableCompression: true,
		},
		// An engine sends nobody elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e
}

func (e *engine) close() { e.client.CloseIdleConnections() }

func (e *engine) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return new(net.Dialer).DialContext(ctx, "unix", e.socket)
}

// engineError is a refusal of the engine itself.
type engineError struct {
	status  int
	message string
}

func (e engineError) Error() string { return fmt.Sprintf("engine: %d: %s", e.status, e.message) }

// do sends a request without a body. The caller closes the answer's body; an
// answer that is a refusal is an engineError.
func (e *engine) do(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	return e.send(ctx, method, path, query, nil)
}

func (e *engine) send(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: "docker", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "mcp-gw-docker-proxy")
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, e.explain(err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

func refusal(resp *http.Response) error {
	var said struct {
		Message string `json:"message"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err != nil || json.Unmarshal(body, &said) != nil || resp.StatusCode < 400 {
		return fmt.Errorf("the engine answered %s", resp.Status)
	}
	const most = 500
	if len(said.Message) > most {
		said.Message = said.Message[:most] + "…"
	}
	return engineError{resp.StatusCode, said.Message}
}

// get decodes an answer into out, which names what may get out.
func (e *engine) get(ctx context.Context, path string, query url.Values, out any) error {
	resp, err := e.do(ctx, http.MethodGet, path, query)
	if err != nil {
		return err
	}
	return decode(resp, path, out)
}

// post sends in as JSON, and decodes the answer into out.
func (e *engine) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	resp, err := e.send(ctx, http.MethodPost, path, nil, body)
	if err != nil {
		return err
	}
	return decode(resp, path, out)
}

func decode(resp *http.Response, path string, out any) error {
	defer resp.Body.Close()
	limited := &io.LimitedReader{R: resp.Body, N: maxAnswer}
	if err := json.NewDecoder(limited).Decode(out); err != nil {
		if limited.N <= 0 {
			return fmt.Errorf("the engine's answer to %s is larger than %d bytes", path, maxAnswer)
		}
		return fmt.Errorf("the engine's answer to %s cannot be read: %w", path, err)
	}
	return nil
}

func (e *engine) ping(ctx context.Context) error {
	resp, err := e.do(ctx, http.MethodGet, "/_ping", nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// hijack asks the engine for a raw stream. The caller owns the connection; what
// it has sent already is in the reader.
func (e *engine) hijack(ctx context.Context, path string, query url.Values, body []byte) (net.Conn, *bufio.Reader, *http.Response, error) {
	conn, err := e.dial(ctx)
	if err != nil {
		return nil, nil, nil, e.explain(err)
	}
	u := url.URL{Scheme: "http", Host: "docker", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		_ = conn.Close()
		return nil, nil, nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "tcp")
	req.Header.Set("User-Agent", "mcp-gw-docker-proxy")
	_ = conn.SetDeadline(time.Now().Add(engineTime))
	r := bufio.NewReader(conn)
	if err = req.Write(conn); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(r, req); err == nil {
			if resp.StatusCode == http.StatusSwitchingProtocols {
				_ = conn.SetDeadline(time.Time{})
				return conn, r, resp, nil
			}
			err = refusal(resp)
		}
	}
	_ = conn.Close()
	return nil, nil, nil, err
}

// explain says what a failed connection means.
func (e *engine) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("permission denied on %s: run this container as the socket's owner (user: \"0:0\"), "+
			"and with SELinux add security_opt: [\"label=disable\"]: %w", e.socket, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no engine's socket at %s: mount it there, or set DOCKER_HOST: %w", e.socket, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens on %s: the engine is down, or made its socket anew: %w", e.socket, err)
	}
	return fmt.Errorf("the engine at %s: %w", e.socket, err)
}
