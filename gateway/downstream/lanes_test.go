package downstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

// client answers who sends a request with that _meta and header.
func (t *lanes) of(test *testing.T, capabilities, more string, header ...string) bridge.Client {
	test.Helper()
	var m wire.Message
	if err := m.Scan([]byte(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":` + capabilities + more + `}}}`)); err != nil {
		test.Fatal(err)
	}
	r := &http.Request{Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return t.client(r, &m)
}

const (
	levelInfo = `,"io.modelcontextprotocol/logLevel":"info"`
	infoC     = `,"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}`
)

// Modern clients that say the same are one to backends that keep sessions; those that
// differ in anything that a backend could tell are not.
func TestModernClientsShareALane(t *testing.T) {
	var l lanes
	base := l.of(t, `{"elicitation":{}}`, infoC)
	if again := l.of(t, `{"elicitation":{}}`, infoC); again.Lane != base.Lane {
		t.Error("two equal clients have two lanes")
	}
	seen := map[string]string{base.Lane.Key: "the first"}
	for name, c := range map[string]bridge.Client{
		"other capabilities": l.of(t, `{"sampling":{}}`, infoC), "no capabilities": l.of(t, `{}`, infoC), "other info": l.of(t, `{"elicitation":{}}`, strings.Replace(infoC, `"c"`, `"d"`, 1)),
		"no info": l.of(t, `{"elicitation":{}}`, ""), "level": l.of(t, `{"elicitation":{}}`, infoC+levelInfo), "other level": l.of(t, `{"elicitation":{}}`, infoC+strings.Replace(levelInfo, "info", "error", 1)),
		"principal": l.of(t, `{"elicitation":{}}`, infoC, "Authorization", "Bearer a"), "other principal": l.of(t, `{"elicitation":{}}`, infoC, "Authorization", "Bearer b"),
	} {
		if other := seen[c.Lane.Key]; other != "" || c.Lane == base.Lane {
			t.Errorf("%s has the lane of %s", name, other)
		}
		seen[c.Lane.Key] = name
		if !c.Modern || strings.Contains(c.Lane.Key+c.Principal, "Bearer") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := l.of(t, `{"elicitation":{}}`, "", "Authorization", "Bearer a"); c.Principal == "" || c.Principal == l.of(t, `{}`, "", "Authorization", "Bearer b").Principal || c.Principal != l.of(t, `{}`, "", "Authorization", "Bearer a").Principal {
		t.Errorf("principal %q", c.Principal)
	}
	if base.Principal != "" {
		t.Errorf("principal %q of nobody", base.Principal)
	}
}

// What a lane's backends are told, and whether its requests may mix.
func TestLaneOfAModernClient(t *testing.T) {
	for _, test := range []struct {
		capabilities, more, told, level string
		exclusive                       bool
	}{
		{`{}`, "", `{}`, "", false},
		{`{"elicitation":{"form":{},"url":{}}}`, infoC, `{"elicitation":{"form":{},"url":{}}}`, "", true},
		{`{"roots":{"listChanged":true},"extensions":{"x":{}},"tasks":{},"future":1,"sampling":{"tools":{}}}`, "", `{"sampling":{"tools":{}},"roots":{},"extensions":{"x":{}}}`, "", true},
		{`{"extensions":{"io.modelcontextprotocol/tasks":{}}}`, "", `{}`, "", false},
		{`{"extensions":{"io.modelcontextprotocol/tasks":{},"x":1e400}}`, "", `{"extensions":{"x":1e400}}`, "", false},
		{`{"experimental":{"x":1e400}}`, "", `{"experimental":{"x":1e400}}`, "", false},
		{`{}`, levelInfo, `{}`, "info", true},
		{`{}`, strings.Replace(levelInfo, "info", "loud", 1), `{}`, "", false},
		{`{}`, strings.Replace(levelInfo, `"info"`, `7`, 1), `{}`, "", false},
		{`{"x":"` + strings.Repeat("x", maxCapabilities) + `"}`, "", `{}`, "", false},
	} {
		var l lanes
		c := l.of(t, test.capabilities, test.more)
		if string(c.Lane.Capabilities) != test.told || c.Lane.Level() != test.level || c.Lane.Exclusive != test.exclusive || c.Lane.Inbox != nil {
			t.Errorf("%.80s%s: told %s, level %q, exclusive %v", test.capabilities, test.more, c.Lane.Capabilities, c.Lane.Level(), c.Lane.Exclusive)
		}
		if string(c.Capabilities) != test.capabilities {
			t.Errorf("a modern backend is told %.80s", c.Capabilities)
		}
	}
	var l lanes
	if info := l.of(t, `{}`, infoC).Lane.Info; string(info) != `{"name":"c","version":"1"}` {
		t.Errorf("info %s", info)
	}
	if info := l.of(t, `{}`, strings.Replace(infoC, `{"name":"c","version":"1"}`, `7`, 1)).Lane.Info; info != nil {
		t.Errorf("info %s", info)
	}
}

// Whatever clients say, little of it is kept.
func TestLanesAreBounded(t *testing.T) {
	var l lanes
	size := func() (n int) {
		for key := range l.byKey {
			n += len(key)
		}
		return n
	}
	for i := range 2 * maxLanes {
		l.of(t, fmt.Sprintf(`{"x":%d}`, i), "")
		if len(l.byKey) > maxLanes {
			t.Fatalf("%d lanes", len(l.byKey))
		}
	}
	before := size()
	long := strings.Repeat("x", 1<<17)
	for i := range 10 {
		l.of(t, fmt.Sprintf(`{"x":%d,"long":"%s"}`, i, long), "")
		l.of(t, `{}`, fmt.Sprintf(`,"io.modelcontextprotocol/logLevel":"%d%s"`, i, long))
		l.of(t, `{}`, fmt.Sprintf(`,"io.modelcontextprotocol/clientInfo":{"name":"%d%s"}`, i, long))
	}
	if grown := size() - before; grown > 2*(maxCapabilities+maxClientInfo) {
		t.Errorf("%d bytes more are kept", grown)
	}
	// What is remembered does not lie in the memory of a request.
	raw := []byte(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"roots":{}}` + infoC + `}}}`)
	var m wire.Message
	if err := m.Scan(raw); err != nil {
		t.Fatal(err)
	}
	lane := l.client(&http.Request{Header: http.Header{}}, &m).Lane
	clear(raw)
	if string(lane.Capabilities) != `{"roots":{}}` || string(lane.Info) != `{"name":"c","version":"1"}` {
		t.Errorf("%s %s", lane.Capabilities, lane.Info)
	}
}
