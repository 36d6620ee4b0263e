package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestIdsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, backend := range []bool{false, true} {
		s := newStub(t, backend, backend).
			tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`)).
			tool("bad", fixed(`"error":{"code":1,"message":"no"}`))
		g.connect(t, eraName(backend), s.url, "http")
	}
	for _, client := range []bool{false, true} {
		c := dial(t, g.mcp(), client)
		for _, id := range []string{`0`, `-1`, `9007199254740993`, `12345678901234567890123`, `""`, `"0"`, `"listen:0"`, `"\u0041\/\u2028é"`, `"` + strings.Repeat("x", 1000) + `"`} {
			asks := []ask{{method: "tools/list", id: id}, {method: "nothing/known", id: id}}
			for _, tool := range []string{"legacy__fine", "modern__fine", "legacy__bad", "modern__bad", "no__such"} {
				a := callTool(tool, `{}`)
				a.id = id
				asks = append(asks, a)
			}
			for _, a := range asks {
				got, err := c.try(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				if back := string(get(got.final, "id")); back != id {
					t.Errorf("%s client, %s %s: sent id %.60s, got %.60s back in %.200s", eraName(client), a.method, a.name, id, back, got.final)
				}
			}
		}
	}
}

// A second member of the same name must not make gateway and backend see two
// different requests.
func TestDuplicateMembersFoolNobody(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("allowed", fixed(`"result":{"content":[]}`)).tool("other", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	c := dialLegacy(t, g.mcp())
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__allowed","name":"b__other","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__allowed","arguments":{},"na\u006de":"b__other"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__allowed"},"params":{"name":"b__other"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"b__allowed","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"b__allowed","arguments":{}}}`,
	} {
		before := len(s.received("tools/call"))
		a := send(t, "POST", g.mcp(), body, and(jsonHeaders, "Mcp-Session-Id", c.session, "Mcp-Protocol-Version", legacyVersion))
		if a.status/100 == 5 {
			t.Errorf("%s: got %v", body, a)
		}
		for _, got := range s.received("tools/call")[before:] {
			for _, path := range [][]string{{}, {"params"}} {
				list, _ := members(get(got, path...))
				seen := map[string]bool{}
				for _, m := range list {
					if seen[m.key] {
						t.Errorf("sent %s: the backend got two members %s: %s", body, m.key, got)
					}
					seen[m.key] = true
				}
			}
		}
	}
}

// 64 clients use the same ids at the same time, against backends that answer out
// of order: nobody gets anybody else's answer.
func TestEqualIdsNeverMix(t *testing.T) {
	t.Parallel()
	const clients, calls = 64, 12
	g := startGateway(t)
	for _, kind := range stubKinds {
		s := kind.start(t)
		s.tool("echo", func(c *stubCall) string {
			time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond)
			return `"result":{"content":[],"echo":` + string(c.arguments) + `,"resultType":"complete"}`
		})
		g.connect(t, kind.name, s.url, s.transport())
	}
	var wg sync.WaitGroup
	for i := range clients {
		c := dial(t, g.mcp(), i%2 == 1)
		wg.Go(func() {
			for n := range calls {
				arguments := fmt.Sprintf(`{"client":%d,"call":%d}`, i, n)
				a := callTool(stubKinds[rand.IntN(len(stubKinds))].name+"__echo", arguments)
				a.id = strconv.Itoa(n)
				got, err := c.try(t.Context(), a)
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				if string(get(got.result(), "echo")) != arguments || string(get(got.final, "id")) != a.id {
					t.Errorf("client %d, call %d: got %v, want its own arguments back", i, n, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestUnknownToolsAreNamed(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	for _, client := range []bool{false, true} {
		c := dial(t, g.mcp(), client)
		for _, name := range []string{"plain", "b__nothing", "nobody__fine", "__", "b__", "__fine", "b__fine__x", "é", strings.Repeat("x", 300)} {
			a := callTool(name, `{}`)
			if client && name == "é" { // not a header value as it is
				continue
			}
			got, err := c.try(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if get(got.final, "error") == nil && string(get(got.result(), "isError")) != "true" || !bytes.Contains(got.final, []byte(name[:min(len(name), 40)])) {
				t.Errorf("%s client, tool %.50q: got %v, want an error that names it", eraName(client), name, got)
			}
		}
	}
}
