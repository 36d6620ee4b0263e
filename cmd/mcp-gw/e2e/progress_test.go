package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Clients number their tokens alike (Claude Code: 0, 1, 2…), so every client here
// uses the same one. Each report must come on its own call's stream, in order,
// with the client's token in the client's spelling, and otherwise unchanged.
func TestProgressReachesItsOwnCallInOrder(t *testing.T) {
	t.Parallel()
	const steps, callers = 40, 8
	g := startGateway(t)
	kinds := slices.DeleteFunc(slices.Clone(stubKinds), func(k stubKind) bool { return strings.HasPrefix(k.name, "json") })
	for _, kind := range kinds {
		s := kind.start(t)
		s.tool("report", func(c *stubCall) string {
			for i := range steps {
				c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":` + report(string(c.progressToken), i, string(c.arguments)) + `}`)
			}
			return `"result":{"content":[{"type":"text","text":` + strconv.Quote(string(c.progressToken)) + `}]}`
		})
		g.connect(t, kind.name, s.url, s.transport())
	}
	for _, client := range []bool{false, true} {
		for _, kind := range kinds {
			for _, token := range []string{`0`, `"0"`} {
				t.Run(fmt.Sprintf("%s client, %s, token %s", eraName(client), kind.name, token), func(t *testing.T) {
					var wg sync.WaitGroup
					for i := range callers {
						c := dial(t, g.mcp(), client)
						wg.Go(func() {
							a := callTool(kind.name+"__report", "")
							a.params = `"name":"` + a.name + `","arguments":{"caller":` + strconv.Itoa(i) + `}`
							a.meta = `"progressToken":` + token
							got, err := c.try(t.Context(), a)
							if err != nil {
								t.Errorf("caller %d: %v", i, err)
								return
							}
							if len(got.before) != steps {
								t.Errorf("caller %d: got %d reports, want %d: %.300s", i, len(got.before), steps, got.before)
							}
							for n, message := range got.before {
								sameBytes(t, fmt.Sprintf("report %d of caller %d", n, i), get(message, "params"),
									[]byte(report(token, n, `{"caller":`+strconv.Itoa(i)+`}`)))
							}
						})
					}
					wg.Wait()
				})
			}
		}
	}
}

// report is the text of a progress notification's params.
func report(token string, n int, tag string) string {
	return fmt.Sprintf(`{"progressToken":%s,"progress":%d.0,"total":1e2,"message":"\u2028 <&>","_meta":{"example.com/tag":%s}}`, token, n, tag)
}

// The same through the SDKs' servers, HTTP+SSE among them, where all answers
// share one stream.
func TestProgressOfRealBackends(t *testing.T) {
	t.Parallel()
	const steps, callers = 5, 6
	v1, v2 := typescriptV1(t), typescriptV2(t)
	g := startGateway(t)
	g.connect(t, "http25", v1.address("/mcp"), "http")
	g.connect(t, "sse24", v1.address("/sse"), "sse")
	g.connect(t, "http26", v2.address("/mcp"), "http")
	for _, backend := range []string{"http25", "sse24", "http26"} {
		for _, client := range []bool{false, true} {
			t.Run(eraName(client)+" client, "+backend, func(t *testing.T) {
				var wg sync.WaitGroup
				for i := range callers {
					c := dial(t, g.mcp(), client)
					wg.Go(func() {
						tag := fmt.Sprintf("caller %d", i)
						a := callTool(backend+"__progress", fmt.Sprintf(`{"steps":%d,"tag":%q}`, steps, tag))
						a.meta = `"progressToken":7`
						got, err := c.try(t.Context(), a)
						if err != nil {
							t.Errorf("%s: %v", tag, err)
							return
						}
						if len(got.before) != steps {
							t.Errorf("%s: got %d reports, want %d: %s", tag, len(got.before), steps, got.before)
						}
						for n, message := range got.before {
							want := fmt.Sprintf("step %d of %s", n+1, tag)
							if str(message, "params", "message") != want || string(get(message, "params", "progressToken")) != "7" {
								t.Errorf("%s: report %d is %s, want message %q and token 7", tag, n, message, want)
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}
