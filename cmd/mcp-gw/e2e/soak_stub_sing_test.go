package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// part is what a call's arguments tell the choir to sing.
type part struct {
	Mark  string `json:"mark"`  // in every message
	Nonce string `json:"nonce"` // names the call
	// Progress and Logs are how many messages of each come, half before Asks and half
	// behind; Pad is how long each is.
	Progress int  `json:"progress"`
	Logs     int  `json:"logs"`
	Asks     bool `json:"asks"`
	Pad      int  `json:"pad"`
	// Hangs makes the call end only when it is cancelled, with a report from time to time.
	Hangs bool `json:"hangs"`
}

func question(mark string) string {
	return `{"mode":"form","message":` + strconv.Quote(mark) + `,"requestedSchema":{"type":"object","properties":{"mark":{"type":"string"}}}}`
}

// saidTo reads what a client answered to a question.
func saidTo(result []byte) string {
	var r struct {
		Action  string            `json:"action"`
		Content map[string]string `json:"content"`
	}
	_ = json.Unmarshal(result, &r)
	return r.Action + " " + r.Content["mark"]
}

var choirAsks atomic.Int64

// ask asks the caller on the call's stream, and waits.
func (c *choir) ask(ctx context.Context, out *choirOut, mark string) (string, bool) {
	id := strconv.FormatInt(choirAsks.Add(1), 10)
	came := make(chan []byte, 1)
	c.mu.Lock()
	c.asks[id] = came
	c.mu.Unlock()
	out.send([]byte(`{"jsonrpc":"2.0","id":` + id + `,"method":"elicitation/create","params":` + question(mark) + `}`))
	select {
	case result := <-came:
		return saidTo(result), true
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.asks, id)
		c.mu.Unlock()
		return "", false
	}
}

// errCancelled is a cancellation that the client asked for.
var errCancelled = fmt.Errorf("cancelled by the client")

// sing does what a call's arguments say.
func (c *choir) sing(ctx context.Context, out *choirOut, m *request, ask func(mark string) (string, bool)) {
	p := m.Params.Arguments
	again := m.Params.InputResponses != nil
	c.mu.Lock()
	if !again {
		c.ran[p.Nonce]++
	}
	c.mu.Unlock()
	end := func(how string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended[p.Nonce] = how
	}
	pad := strings.Repeat("x", p.Pad)
	sent := 0
	send := func(from, to, logsFrom, logsTo int) {
		for i := from; i < to && m.Params.Meta.Token != nil; i++ {
			sent++
			out.send(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":"%s %s"}}`, m.Params.Meta.Token, i+1, p.Mark, pad))
		}
		for i := logsFrom; i < logsTo && (c.kind != "modern" || m.Params.Meta.LogLevel != ""); i++ {
			out.send(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"%s %d %s"}}`, p.Mark, i, pad))
		}
	}
	answered := ""
	if !p.Asks || !again {
		send(0, p.Progress/2, 0, p.Logs/2)
	}
	if p.Asks {
		var ok bool
		if answered, ok = ask(p.Mark); !ok {
			if ctx.Err() != nil {
				end("cancelled")
			}
			return
		}
	}
	for i := p.Progress; p.Hangs; i++ {
		select {
		case <-ctx.Done():
			end("cancelled")
			return
		case <-time.After(50 * time.Millisecond):
			send(i, i+1, 0, 0)
		}
	}
	send(p.Progress/2, p.Progress, p.Logs/2, p.Logs)
	end("done")
	tail := ""
	if c.kind == "modern" {
		tail = `,"resultType":"complete"`
	}
	out.reply(m.ID, `"result":{"content":[{"type":"text","text":`+strconv.Quote(p.Mark)+`},{"type":"text","text":`+strconv.Quote(answered)+`}]`+tail+`}`)
}
