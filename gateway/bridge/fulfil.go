package bridge

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

const (
	// maxRounds is how often a backend may ask for input before one result.
	maxRounds = 10
	// maxAsks is how many questions it may ask at once.
	maxAsks = 32
	// thinking is how long a person may take over a question.
	thinking = 10 * time.Minute
	// shed is how long a backend is left alone that only asks to be asked again.
	shed = 500 * time.Millisecond
)

// fulfil gets a modern backend the input that it asks for from a legacy client, by
// the requests that the client knows, and prepares the request's repetition.
func (c *call) fulfil(ctx context.Context, round int) error {
	need := c.need
	if round > maxRounds {
		return fmt.Errorf("backend %q asked for input %d times and gave no result", c.route.Backend, maxRounds)
	}
	answers, err := c.askAll(ctx, wire.Member(need, "inputRequests"))
	if err != nil {
		return err
	}
	c.given = c.given[:0]
	if answers != nil {
		c.given = append(append(append(c.given, `"inputResponses":{`...), answers...), '}')
	}
	if state := wire.Member(need, "requestState"); state != nil {
		if answers != nil {
			c.given = append(c.given, ',')
		}
		c.given = append(append(c.given, `"requestState":`...), state...)
	}
	if answers == nil {
		pause := time.NewTimer(time.Duration(round) * shed)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// answered is what a client said to one question.
type answered struct {
	key      string
	response []byte
}

// askAll asks the client all that is in requests, at once, and answers the members
// of inputResponses; nil when there was nothing to ask.
func (c *call) askAll(ctx context.Context, requests []byte) ([]byte, error) {
	if !isObject(requests) { // also null, which some servers write for none
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, thinking)
	defer cancel()
	came := make(chan answered, maxAsks) // room for all: nobody waits with an answer
	asked := 0
	if err := wire.Members(requests, func([]byte, wire.Span) error { asked++; return nil }); err == nil && asked > maxAsks {
		return nil, fmt.Errorf("backend %q asks for more than %d inputs at once", c.route.Backend, maxAsks)
	}
	asked = 0
	err := wire.Members(requests, func(key []byte, at wire.Span) error {
		asked++
		return c.askOne(string(key), at.In(requests), came)
	})
	if err != nil {
		return nil, err
	}
	var members []byte
	for range asked {
		var a answered
		select {
		case a = <-came:
		case <-ctx.Done():
			return nil, fmt.Errorf("the client did not answer what backend %q asked within %v", c.route.Backend, thinking)
		}
		var m wire.Message
		if err := m.Scan(a.response); err != nil {
			return nil, fmt.Errorf("the client's answer to %q cannot be read: %w", a.key, err)
		}
		if m.Error.Present() {
			return nil, refusal(&m)
		}
		key := wire.Quote(a.key)
		if len(members) > 0 {
			members = append(members, ',')
		}
		members = append(append(append(members, key...), ':'), m.Result.In(m.Raw)...)
	}
	return members, nil
}

// refusal is a client's error to a question: 2026-07-28 has no way to tell it the
// backend, so it ends the call.
func refusal(m *wire.Message) error {
	code, _ := strconv.Atoi(string(m.Code.In(m.Raw)))
	text := errorText(m, code)
	return &refusedError{code, text, bytes.Clone(wire.Member(m.Error.In(m.Raw), "data"))}
}

func (c *call) askOne(key string, request []byte, came chan<- answered) error {
	method, _ := wire.Unquote(wire.Member(request, "method"))
	if capability := Needs(method); capability == "" {
		return fmt.Errorf("backend %q asks for %.100q, which no client of this session's revision knows", c.route.Backend, method)
	} else if wire.Member(c.client.Capabilities, capability) == nil {
		data, _ := json.Marshal(map[string]any{"requiredCapabilities": map[string]any{capability: struct{}{}}})
		return &refusedError{mcp.MISSING_REQUIRED_CLIENT_CAPABILITY,
			fmt.Sprintf("backend %q needs the client capability %q, which this client did not declare", c.route.Backend, capability), data}
	}
	name := wire.Quote(key)
	raw := append(append([]byte(`{"jsonrpc":"2.0","id":`), name...), `,"method":"`...)
	raw = append(append(raw, method...), '"')
	if params := wire.Member(request, "params"); isObject(params) {
		raw = append(append(raw, `,"params":`...), identified(params)...)
	}
	var m wire.Message
	if err := m.Scan(append(raw, '}')); err != nil {
		return fmt.Errorf("backend %q asks for input that cannot be read: %w", c.route.Backend, err)
	}
	if !c.answer.Ask(c.route.Backend, &m, func(response []byte) { came <- answered{key, bytes.Clone(response)} }) {
		return errors.New("the client takes no questions on this request: it needs Accept: text/event-stream")
	}
	return nil
}

// identified gives a request to visit a URL the id that 2025-11-25 requires of it, and
// 2026-07-28 does not know.
func identified(params []byte) []byte {
	if mode, _ := wire.Unquote(wire.Member(params, "mode")); mode != "url" || wire.Member(params, "elicitationId") != nil {
		return params
	}
	id := []byte(`"elicitationId":"` + rand.Text() + `"`)
	return wire.Splice(nil, params, wire.Insert(params, wire.Span{Start: 0, End: len(params)}, id))
}

// Needs answers the client capability that a server's request needs.
func Needs(method string) string {
	switch mcp.MCPMethod(method) {
	case mcp.MethodElicitationCreate:
		return "elicitation"
	case mcp.MethodSamplingCreateMessage:
		return "sampling"
	case mcp.MethodListRoots:
		return "roots"
	}
	return ""
}
