package e2e

import (
	"fmt"
	"testing"
)

// capableTypescript is a connection of peers/capable.mjs.
type capableTypescript struct {
	*typescriptConnection
	recorder
	modern bool
	about  serverHello
}

func (c *sdkClients) dialCapable(t *testing.T, sdk, url, transport string) *capableTypescript {
	t.Helper()
	c.mu.Lock()
	c.next++
	name := fmt.Sprintf("capable-%d", c.next)
	c.mu.Unlock()
	hello := c.must(t, "connect", fmt.Sprintf(`"as":%q,"sdk":%q,"url":%q,"transport":%q,"capable":true`, name, sdk, url, transport))
	t.Cleanup(func() { c.do(t, "close", fmt.Sprintf(`"as":%q`, name)) })
	version := str(hello, "version")
	return &capableTypescript{
		typescriptConnection: &typescriptConnection{c, name, version}, modern: version == modernVersion,
		about: serverHello{get(hello, "server"), get(hello, "capabilities"), get(hello, "instructions")},
	}
}

func (c *capableTypescript) hello() serverHello { return c.about }

func (c *capableTypescript) take(t *testing.T) {
	t.Helper()
	for _, event := range elements(t, c.clients.must(t, "take", fmt.Sprintf(`"as":%q`, c.name))) {
		c.hear(get(event, "asked") != nil, str(event, "method"), get(event, "params"))
	}
}

func (c *capableTypescript) told(t *testing.T) [][]byte {
	t.Helper()
	c.take(t)
	return c.recorder.told(t)
}

func (c *capableTypescript) do(t *testing.T, s step) outcome {
	t.Helper()
	c.take(t)
	c.begin()
	params := s.params
	if s.level != "" {
		if c.modern {
			params = s.withMeta(fmt.Sprintf(`"io.modelcontextprotocol/logLevel":%q`, s.level))
		} else {
			c.clients.must(t, "request", fmt.Sprintf(`"as":%q,"method":"logging/setLevel","params":{"level":%q}`, c.name, s.level))
		}
	}
	var o outcome
	value, failure := c.clients.do(t, "request", fmt.Sprintf(`"as":%q,"method":%q,"params":%s,"progress":%v`, c.name, s.method, orEmpty([]byte(params)), s.reports))
	o.result, o.failure = get(value, "result"), failure
	if failure == nil {
		for _, report := range elements(t, get(value, "progress")) {
			c.hear(false, "notifications/progress", report)
		}
	}
	if s.logs > 0 {
		eventually(t, fmt.Sprintf("%d log messages of %s", s.logs, s.params), func() bool {
			c.take(t)
			c.recorder.mu.Lock()
			defer c.recorder.mu.Unlock()
			return len(c.logs) >= s.logs
		})
	}
	c.take(t)
	return c.end(t, s, o)
}
