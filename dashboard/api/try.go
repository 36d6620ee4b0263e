package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
)

const (
	// tryPatience is how long a person waits to hear how far a connect comes.
	tryPatience = 10 * time.Second
	// maxTries bounds the connects that are tried at once.
	maxTries = 4
)

// candidate is the body of POST /api/backends/test.
type candidate struct {
	URL       string            `json:"url"`
	Transport string            `json:"transport"`
	Headers   map[string]string `json:"headers"`
	// Name is the registration that is to be replaced, if any: masked headers are its.
	Name string     `json:"name"`
	TLS  manual.TLS `json:"tls"`
}

type tried struct {
	OK    bool             `json:"ok"`
	Steps []discovery.Step `json:"steps"`
	Tools int              `json:"tools"`
	// What was found.
	Transport       discovery.Transport `json:"transport,omitempty"`
	URL             string              `json:"url,omitempty"`
	ProtocolVersion string              `json:"protocolVersion,omitempty"`
	ServerInfo      json.RawMessage     `json:"serverInfo,omitempty"`
	// How far it came, why no further, and what to do.
	Failure string `json:"failure,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Fix     string `json:"fix,omitempty"`
}

// try connects to what somebody may want to register, and says how far that comes.
func (s *server) try(c echo.Context) error {
	var body candidate
	if err := decode(c.Request().Body, &body); err != nil {
		return err
	}
	r, err := s.registrationOf(body)
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	select {
	case s.tries <- struct{}{}:
		defer func() { <-s.tries }()
	default:
		return fail(http.StatusServiceUnavailable, "%d backends are being tried already: wait until one of them has ended", maxTries)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), tryPatience)
	defer cancel()
	wanted := r.Backend()
	wanted.Transport = discovery.Transport(body.Transport)
	b := s.Gateway.Try(ctx, wanted)
	if ctx.Err() != nil && b.State != "ready" && b.Failure == "" {
		b.Failure, b.Reason = "no_answer", fmt.Sprintf("it was not connected within %v", tryPatience)
	}
	return c.JSON(http.StatusOK, outcome(b))
}

// registrationOf is the registration that body would make, held against the same rules.
func (s *server) registrationOf(body candidate) (manual.Registration, error) {
	r := manual.Registration{Name: cmp.Or(body.Name, "test"), URL: body.URL, Transport: discovery.Transport(body.Transport),
		Headers: body.Headers, Enabled: true, TLS: body.TLS.Settings()}
	if r.Transport == discovery.TransportAuto {
		r.Transport = discovery.TransportHTTP // to the rules it is one of the others
	}
	if err := r.Validate(); err != nil {
		return r, err
	}
	old, _ := s.Manual.Lookup(r.Name)
	return r.Unmasked(old)
}

func outcome(b gateway.BackendState) tried {
	b = show(b)
	t := tried{OK: b.State == "ready", Steps: steps(b), Tools: b.ToolCount, Failure: b.Failure}
	if t.OK {
		t.Transport, t.URL, t.ProtocolVersion, t.ServerInfo = b.Transport, b.URL, b.ProtocolVersion, b.ServerInfo
		return t
	}
	t.Reason, t.Fix = b.Reason, remedyByHand(b.Failure, b.URL, b.Headers)
	return t
}
