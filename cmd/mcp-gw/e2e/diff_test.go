package e2e

import (
	"path/filepath"
	"slices"
	"testing"
)

// diffServer is a real server that is asked directly and through the gateway.
type diffServer struct {
	name    string
	backend string // its name at the gateway
	// shared is the gateway that it is behind: servers with resources of the same
	// URIs are behind different ones.
	shared    int
	modern    bool // as the gateway finds it
	both      bool // it offers all that it has in either era
	path      string
	transport string
	start     func(*testing.T) *peer
	ops       func(*testing.T) []operation
	// mask removes what the server makes up anew at each call.
	mask func(s step, text []byte) []byte

	url string
}

func diffServers(t *testing.T) []*diffServer {
	files := t.TempDir()
	ours := func(*testing.T) []operation { return ourOperations() }
	sessions := func(*testing.T) []operation { return append(ourOperations(), sessionOperations...) }
	everythings := func(*testing.T) []operation { return everythingOperations() }
	goSDKs := func(modern bool) func(*testing.T) []operation {
		return func(*testing.T) []operation { return goSDKOperations(modern) }
	}
	same := func(_ step, text []byte) []byte { return text }
	return []*diffServer{
		{name: "server-everything-http", backend: "every", shared: 0, path: "/mcp", transport: "http", mask: maskEverything, ops: everythings,
			start: func(t *testing.T) *peer { return everything(t, "streamableHttp") }},
		{name: "server-everything-sse", backend: "everysse", shared: 1, path: "/sse", transport: "sse", mask: maskEverything, ops: everythings,
			start: func(t *testing.T) *peer { return everything(t, "sse") }},
		{name: "TypeScript SDK 1.x", backend: "tsv1", shared: 0, path: "/mcp", transport: "http", mask: same, ops: sessions, start: typescriptV1},
		{name: "TypeScript SDK 2.x", backend: "tsv2", shared: 1, modern: true, path: "/mcp", transport: "http", mask: same, ops: ours, start: typescriptV2},
		{name: "Go SDK with sessions", backend: "go25", shared: 0, path: "/mcp", transport: "http", mask: maskToken, ops: goSDKs(false),
			start: func(t *testing.T) *peer { return goSDK(t, false) }},
		{name: "Go SDK, stateless", backend: "go26", shared: 1, modern: true, path: "/mcp", transport: "http", mask: maskToken, ops: goSDKs(true),
			start: func(t *testing.T) *peer { return goSDK(t, true) }},
		{name: "mcp-go", backend: "mcpgo", shared: 2, modern: true, both: true, path: "/mcp", transport: "http", mask: same, start: mcpGo,
			ops: func(*testing.T) []operation { return conformanceOperations() }},
		{name: "server-memory", backend: "memory", shared: 2, modern: true, both: true, path: "/mcp", transport: "http", mask: same,
			start: func(t *testing.T) *peer {
				return proxied(t, "server-memory", []string{"MEMORY_FILE_PATH=" + filepath.Join(t.TempDir(), "memory.json")}, "server-memory")
			},
			ops: func(*testing.T) []operation { return memoryOperations() }},
		{name: "server-filesystem", backend: "files", shared: 2, modern: true, both: true, path: "/mcp", transport: "http", mask: maskAccessed,
			start: func(t *testing.T) *peer { return proxied(t, "server-filesystem", nil, "server-filesystem", files) },
			ops:   func(t *testing.T) []operation { return filesystemOperations(t, files) }},
	}
}

// proxied starts a stdio server behind mcp-proxy, which serves it on /mcp.
func proxied(t *testing.T, name string, env []string, pkg string, args ...string) *peer {
	argv := []string{"node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs", "--host", "127.0.0.1", "--port", "PORT", "--server", "stream", "--",
		"node", filepath.Join(nodePeers(t), "node_modules/@modelcontextprotocol", pkg, "dist/index.js")}
	return node(t, name, env, append(argv, args...)...)
}

// endpoint is a way to a server that must not be told from the server itself.
type endpoint struct {
	where  string
	url    string
	prefix string // of tools and prompts
	shared bool   // other backends are there, too
	direct bool   // it is the server itself
}

// dial connects k to e, which leads to s.
func (e endpoint) dial(t *testing.T, k clientKind, kinds []clientKind, s *diffServer) peerClient {
	t.Helper()
	if e.direct {
		return k.direct(t, kinds, s)
	}
	return k.dial(t, e.url, "http")
}

// TestDifferential makes every client do every operation at every server,
// directly and through both endpoints of the gateway, and compares all that the
// client sees.
func TestDifferential(t *testing.T) {
	t.Parallel()
	gateways := []*gateway{startGateway(t), startGateway(t), startGateway(t)}
	differential(t, diffServers(t), clientKinds(t), func(t *testing.T, s *diffServer) []endpoint { return throughGateway(t, gateways[s.shared], s) })
}

// throughGateway puts s behind g.
func throughGateway(t *testing.T, g *gateway, s *diffServer) []endpoint {
	t.Helper()
	g.connect(t, s.backend, s.url, s.transport)
	if got := str(g.backend(t, s.backend), "era"); got != eraName(s.modern) {
		t.Errorf("got era %q, want %q", got, eraName(s.modern))
	}
	return []endpoint{
		{where: "/mcp/" + s.backend, url: g.mcp() + "/" + s.backend},
		{where: "/mcp", url: g.mcp(), prefix: s.backend + "__", shared: true},
	}
}

// differential compares each server with what ways says are other ways to it.
func differential(t *testing.T, servers []*diffServer, kinds []clientKind, ways func(*testing.T, *diffServer) []endpoint) {
	endpoints := startAll(t, servers, ways)
	for i, s := range servers {
		endpoints := endpoints[i]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			ops := s.ops(t)
			for _, k := range kinds {
				t.Run(k.name, func(t *testing.T) {
					direct := k.direct(t, kinds, s)
					through := make([]peerClient, len(endpoints))
					for i, e := range endpoints {
						through[i] = e.dial(t, k, kinds, s)
					}
					t.Run("hello", func(t *testing.T) {
						for i, e := range endpoints {
							if !e.shared {
								view{e, k, s}.greet(t, through[i].hello(), direct.hello())
							}
						}
					})
					for _, op := range k.able(ops) {
						t.Run(op.name, func(t *testing.T) {
							want := perform(t, direct, op, "")
							for i, e := range endpoints {
								if op.alone && e.shared {
									continue
								}
								got := perform(t, through[i], op, e.prefix)
								for n, request := range op.steps {
									view{e, k, s}.compare(t, request, want[n], got[n])
								}
							}
						})
					}
				})
			}
		})
	}
}

// startAll starts the servers and returns the other ways to each. All are there
// before the first client comes: clients react to each that comes later.
func startAll(t *testing.T, servers []*diffServer, ways func(*testing.T, *diffServer) []endpoint) [][]endpoint {
	t.Helper()
	endpoints := make([][]endpoint, len(servers))
	for i, s := range servers {
		s.url = s.start(t).address(s.path)
		endpoints[i] = ways(t, s)
	}
	return endpoints
}

// perform does all steps of op in the names of an endpoint.
func perform(t *testing.T, c peerClient, op operation, prefix string) []outcome {
	t.Helper()
	var seen []outcome
	for _, s := range op.steps {
		seen = append(seen, c.do(t, s.atPrefix(prefix)))
	}
	return seen
}

// TestDifferentialPeers compares the servers with themselves: where it fails,
// an operation is no basis for a comparison.
func TestDifferentialPeers(t *testing.T) {
	t.Parallel()
	byHand := slices.DeleteFunc(clientKinds(t), func(k clientKind) bool { return !k.raw })
	differential(t, diffServers(t), byHand, func(_ *testing.T, s *diffServer) []endpoint {
		return []endpoint{{where: "a second connection", direct: true}}
	})
}
