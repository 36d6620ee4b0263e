package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

// The text that payloads are made of: what tools return, with the characters
// that need escaping in JSON and some outside ASCII, but none (<, >, &) that
// one encoder escapes and another does not.
const filler = `the quick brown fox (id 4711, "reviewed") jumps over naïve dogs at 10:42;
	see https://example.org/a/b?c=d for the rest, or ask José — path C:\\temp\\x\n`

// prepare writes out the request that do repeats.
func (s *session) prepare() {
	const mark = "1000000000"
	s.id++
	var body, name string
	switch s.cfg.Mode {
	case ModeList:
		body, name = s.envelope("tools/list", "{}"), ""
		s.req = s.request("tools/list", "", body)
		s.payload = nil
	default:
		name = s.cfg.Tool
		size := max(s.cfg.Payload, 32)
		text := fmt.Sprintf("c%05d-%s-", s.n, mark)
		for len(text) < size {
			text += filler[:min(len(filler), size-len(text))]
		}
		text = strings.ToValidUTF8(text, "")
		quoted := quote(text)
		s.payload = []byte(quoted)
		s.payIDs = find(s.payload, mark)[:1]
		tool, _ := json.Marshal(name)
		args := `{"message":` + quoted + `}`
		if s.cfg.Args != "" {
			args, s.payload = s.cfg.Args, nil
		}
		body = s.envelope("tools/call", `{"name":`+string(tool)+`,"arguments":`+args+`}`)
		s.req = s.request("tools/call", name, body)
	}
	// The id stands once in the envelope and, with a payload, once in it.
	head := bytes.Index(s.req, []byte("\r\n\r\n"))
	s.ids = nil
	at := bytes.Index(s.req[head:], []byte(`"id":`+strconv.FormatInt(s.id, 10)))
	s.ids = append(s.ids, head+at+len(`"id":`))
	if s.payload != nil {
		at = bytes.Index(s.req[head:], s.payload)
		s.ids = append(s.ids, head+at+s.payIDs[0])
	}
}

// quote returns s as a JSON string the way most encoders write it: no escapes
// but those that are needed.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func find(b []byte, sub string) (at []int) {
	for i := 0; ; {
		n := bytes.Index(b[i:], []byte(sub))
		if n < 0 {
			return at
		}
		at = append(at, i+n)
		i += n + len(sub)
	}
}

// do performs one operation, checks the answer, and returns how long it took
// until the last byte was here.
func (s *session) do(ctx context.Context) (time.Duration, error) {
	if s.cfg.Mode == ModeList {
		return s.list(ctx)
	}
	s.id++
	for _, i := range s.ids {
		strconv.AppendInt(s.req[i:i], s.id, 10)
	}
	start := time.Now()
	status, err := s.conn.send(ctx, s.req)
	took := time.Since(start)
	if err != nil {
		return took, err
	}
	result, err := s.result(status)
	if err != nil {
		return took, err
	}
	if s.payload == nil {
		if string(rawjson.Get(result, "isError")) == "true" {
			return took, &answerError{"tool error", fmt.Sprintf("%.200s", result)}
		}
		return took, nil
	}
	strconv.AppendInt(s.payload[s.payIDs[0]:s.payIDs[0]], s.id, 10)
	text := rawjson.Get(result, "content", "[0]", "text")
	if !bytes.Equal(text, s.payload) && !sameString(text, s.payload) {
		kind := "wrong text"
		if string(rawjson.Get(result, "isError")) == "true" {
			kind = "tool error"
		}
		return took, &answerError{kind, fmt.Sprintf("%.200s", result)}
	}
	return took, nil
}

// sameString reports whether two raw JSON strings mean the same text.
func sameString(a, b []byte) bool {
	var x, y string
	return len(a) > 0 && json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}
