package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Level of an entry.
type Level string

const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// Types of entries.
const (
	TypeCall    = "tool_call"
	TypeResult  = "tool_result"
	TypeBackend = "backend_event"
	TypeSystem  = "system"
)

// Entry is one record as people read it. Its JSON is the LogEntry of the API.
type Entry struct {
	// ID counts up from 1 without gaps, for as long as the process lives.
	ID uint64 `json:"id"`
	// TS is the time in UTC, ISO 8601 with milliseconds.
	TS      string `json:"ts"`
	Level   Level  `json:"level"`
	Type    string `json:"type"`
	Backend string `json:"backend,omitempty"`
	Tool    string `json:"tool,omitempty"`
	// DurationMs and Status ("ok" or "error") are those of a result.
	DurationMs *float64 `json:"durationMs,omitempty"`
	Status     string   `json:"status,omitempty"`
	Message    string   `json:"message"`
	// Data is what a tool was called with: the arguments, secrets masked.
	Data json.RawMessage `json:"data,omitempty"`
}

func render(records []record) []Entry {
	entries := make([]Entry, len(records))
	for i := range records {
		entries[i] = records[i].entry()
	}
	return entries
}

func (r *record) entry() Entry {
	e := Entry{
		ID:      r.id,
		TS:      r.at.UTC().Format("2006-01-02T15:04:05.000Z"),
		Level:   r.level,
		Backend: r.backend,
		Tool:    r.tool,
	}
	switch r.kind {
	case kindCall:
		e.Type, e.Level = TypeCall, LevelInfo
		e.Message = "→ " + r.backend + "::" + r.tool
		e.Data = r.data()
	case kindResult:
		e.Type = TypeResult
		e.outcome(r)
	case kindBackend:
		e.Type, e.Message = TypeBackend, RedactText(r.text)
	case kindSystem:
		e.Type, e.Message = TypeSystem, RedactText(r.text)
	}
	return e
}

func (e *Entry) outcome(r *record) {
	ms := float64(r.duration.Microseconds()) / 1000
	e.DurationMs = &ms
	word, rest := "OK", ""
	e.Level, e.Status = LevelInfo, "ok"
	switch {
	case r.text != "":
		word, rest = "THROW", ": "+RedactText(r.text)
		e.Level, e.Status = LevelError, "error"
	case r.isError:
		word = "ERR"
		e.Level, e.Status = LevelWarn, "error"
	}
	whole := strconv.FormatInt(r.duration.Round(time.Millisecond).Milliseconds(), 10)
	e.Message = "← " + r.backend + "::" + r.tool + " " + word + " " + whole + "ms" + rest
}

// data is the arguments as they may be shown.
func (r *record) data() json.RawMessage {
	switch {
	case r.bytes == 0:
		return nil
	case r.masked:
		return r.arguments
	case r.arguments == nil:
		return fmt.Appendf(nil, `{"truncated":true,"bytes":%d}`, r.bytes)
	case !json.Valid(r.arguments):
		return fmt.Appendf(nil, `{"invalid":true,"bytes":%d}`, r.bytes)
	}
	return bytes.ToValidUTF8(redaction{names: r.meter.secrets()}.of(r.arguments), []byte("\uFFFD"))
}
