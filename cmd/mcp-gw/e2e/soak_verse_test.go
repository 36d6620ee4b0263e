package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// message is what a client reads of a message.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Error  json.RawMessage `json:"error"`
	Params struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress float64         `json:"progress"`
		Message  string          `json:"message"`
		Data     json.RawMessage `json:"data"`
		URI      string          `json:"uri"`
	} `json:"params"`
	Result struct {
		Type          string              `json:"resultType"`
		IsError       bool                `json:"isError"`
		Content       []map[string]string `json:"content"`
		State         string              `json:"requestState"`
		InputRequests map[string]struct {
			Params struct {
				Message string `json:"message"`
			} `json:"params"`
		} `json:"inputRequests"`
	} `json:"result"`
	raw []byte
}

// text is the sentence of a failure, "" when m is none.
func (m *message) text() string {
	switch {
	case m.Error != nil:
		return str(m.Error, "message")
	case m.Result.IsError && len(m.Result.Content) > 0:
		return m.Result.Content[0]["text"]
	}
	return ""
}

// take reads a message that came on a stream. mark and token are of the call whose
// stream it is, empty on the standing stream, where all of the client's own may come.
func (s *singer) take(ctx context.Context, data []byte, mark, token string) (*message, error) {
	s.heard.Add(1)
	m := &message{raw: data}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%w: %.300s", err, data)
	}
	mine := func(text string) error {
		if mark != "" && !strings.HasPrefix(text, mark+" ") && text != mark || !strings.HasPrefix(text, s.name+"-") {
			return fmt.Errorf("what is not of %s (%s): %.300s", mark, s.name, data)
		}
		return nil
	}
	switch m.Method {
	case "notifications/progress":
		if string(m.Params.Token) != token || token == "" {
			return m, fmt.Errorf("progress of another token than %q: %.300s", token, data)
		}
		return m, mine(m.Params.Message)
	case "notifications/message":
		s.logs.Add(1)
		text := ""
		_ = json.Unmarshal(m.Params.Data, &text)
		return m, mine(text)
	case "elicitation/create":
		if err := mine(m.Params.Message); err != nil {
			return m, err
		}
		if strings.Contains(m.Params.Message, "silent") {
			return m, nil // the test leaves it open
		}
		return m, s.say(ctx, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"result":`+accept(m.Params.Message)+`}`)
	}
	return m, nil
}

// accept is the answer to a question.
func accept(question string) string {
	return `{"action":"accept","content":{"mark":` + strconv.Quote(question+"!") + `}}`
}

// verse is one call of a singer.
type verse struct {
	tool string
	part part
	// on gets each message ahead of the response.
	on func(*message)
	// state and given repeat a call of the modern era with what it asked for.
	state, given string
	id           string
}

func (v *verse) arguments() string {
	text, _ := json.Marshal(v.part)
	return string(text)
}

var errUnanswered = errors.New("the stream ended without a response")

// sing makes a call and reads it to its end. A modern client that is asked for input
// gives it, unless the mark says that it is silent.
func (s *singer) sing(ctx context.Context, v verse) (*message, error) {
	for {
		m, err := s.singOnce(ctx, &v)
		if err != nil || !s.modern || m.Result.Type != "input_required" || strings.Contains(v.part.Mark, "silent") {
			return m, err
		}
		v.give(m)
	}
}

// give makes v the repetition with the input that m asks for.
func (v *verse) give(m *message) {
	v.state, v.given = m.Result.State, ""
	for key, q := range m.Result.InputRequests {
		v.given = join(v.given, strconv.Quote(key)+":"+accept(q.Params.Message))
	}
}

func (s *singer) singOnce(ctx context.Context, v *verse) (*message, error) {
	id := v.id
	if id == "" {
		id = strconv.FormatInt(s.ids.Add(1), 10)
	}
	token := `"` + v.part.Mark + `"`
	params := `"name":"` + v.tool + `","arguments":` + v.arguments()
	if v.state != "" {
		params += `,"requestState":` + strconv.Quote(v.state) + `,"inputResponses":{` + v.given + `}`
	}
	resp, err := s.post(ctx, `{"jsonrpc":"2.0","id":`+id+`,"method":"tools/call","params":{`+params+`,`+s.meta(token)+`}}`, "tools/call", v.tool)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	read := func() ([]byte, error) { return io.ReadAll(resp.Body) }
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "text/event-stream" {
		stream := newSSEReader(resp.Body)
		read = func() ([]byte, error) { _, data, err := stream.next(); return data, err }
	}
	for {
		data, err := read()
		if errors.Is(err, io.EOF) {
			return nil, errUnanswered
		}
		if err != nil {
			return nil, err
		}
		m, err := s.take(ctx, data, v.part.Mark, token)
		if err != nil {
			if ctx.Err() == nil {
				s.complain("on the stream of call " + v.part.Mark + ": " + err.Error())
			}
			if m == nil {
				return nil, err
			}
		}
		if m.Method == "" {
			if string(m.ID) != id {
				s.complain(fmt.Sprintf("the answer to another request than %s: %.300s", id, data))
			}
			return m, nil
		}
		if v.on != nil {
			v.on(m)
		}
	}
}

// cancel takes a legacy client's call back.
func (s *singer) cancel(ctx context.Context, id string) error {
	return s.say(ctx, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`}}`)
}

// within is a context that ends a moment after what it is for must have.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
