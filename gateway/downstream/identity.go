package downstream

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// serverName is what the gateway has always called itself.
const serverName = "mcp-gateway"

// Identity is what an endpoint says of itself, rendered once.
type Identity struct {
	initialize string // the members of an initialize result behind protocolVersion
	discover   string // the members of a server/discover result
	meta       string // _meta of a modern result of the gateway's own, with a comma in front
}

// everything is what the aggregate announces whatever is connected: backends come
// and go, and a client only listens for what was announced when it came.
const everything = `"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{}`

// Instructions of many backends: clients cut them (Claude Code at 2 KB), so each
// gets its share and says whose it is.
const (
	maxInstructions = 8 << 10
	maxOne          = 2 << 10
)

// NewIdentity renders what an endpoint with these backends says of itself. Where it
// is one backend's own (plain), it speaks as that.
func NewIdentity(version string, backends []*Backend, plain bool) Identity {
	server, _ := json.Marshal(mcp.Implementation{Name: serverName, Version: version})
	legacy, modern := everything, everything
	instructions := ""
	if plain && len(backends) == 1 {
		b := backends[0]
		if len(b.Server) > 0 && b.Server[0] == '{' {
			server = b.Server
		}
		instructions = b.Instructions
		legacy, modern = announced(b, true), announced(b, false)
	} else {
		legacy += tasks(backends, true)
		modern += tasks(backends, false)
		instructions = joined(backends)
	}
	told := ""
	if instructions != "" {
		quoted := wire.Quote(instructions)
		told = `,"instructions":` + string(quoted)
	}
	versions, _ := json.Marshal(mcp.ValidProtocolVersions)
	meta := `,"_meta":{"` + mcp.MetaKeyServerInfo + `":` + string(server) + `}`
	return Identity{
		initialize: `,"capabilities":{` + legacy + `},"serverInfo":` + string(server) + told,
		// The lifetime is 0 because list_changed tells of each change at once.
		discover: `"supportedVersions":` + string(versions) + `,"capabilities":{` + modern + `}` + told +
			`,"resultType":"complete","ttlMs":0,"cacheScope":"public"` + meta,
		meta: meta,
	}
}

// announced are the members of b's own capabilities, for clients of one era. What
// the other era calls by the same name and means differently is left out, and what
// the gateway does by itself is added: telling of changes.
func announced(b *Backend, legacy bool) string {
	var parts []string
	have := map[string]bool{}
	_ = wire.Members(b.Capabilities, func(key []byte, at wire.Span) error {
		name, value := string(key), string(at.In(b.Capabilities))
		if b.Legacy != legacy && name == "tasks" || have[name] {
			return nil
		}
		have[name] = true
		if b.Legacy != legacy && name == "extensions" {
			if value = string(wire.WithoutMember([]byte(value), tasksExtension)); value == "{}" {
				return nil
			}
		}
		switch name {
		case "tools", "prompts":
			value = `{"listChanged":true}`
		case "resources":
			value = `{"subscribe":true,"listChanged":true}`
			if string(wire.Member(at.In(b.Capabilities), "subscribe")) != "true" {
				value = `{"listChanged":true}`
			}
		}
		quoted := wire.Quote(name)
		parts = append(parts, string(quoted)+":"+value)
		return nil
	})
	if !have["tools"] {
		parts = append(parts, `"tools":{"listChanged":true}`)
	}
	return strings.Join(parts, ",")
}

// hasTasks reports whether a backend runs tasks, in either era's way.
func hasTasks(capabilities []byte) bool {
	return wire.Member(capabilities, "tasks") != nil || wire.Member(wire.Member(capabilities, "extensions"), tasksExtension) != nil
}

const tasksExtension = "io.modelcontextprotocol/tasks"

// tasks announces tasks, and the other extensions of the backends of one era: what
// one of them has, the endpoint has.
func tasks(backends []*Backend, legacy bool) string {
	var tasks, extensions []string
	seen := map[string]bool{}
	for _, b := range backends {
		if t := wire.Member(b.Capabilities, "tasks"); legacy && b.Legacy && t != nil && len(tasks) == 0 {
			tasks = append(tasks, string(t))
		}
		ext := wire.Member(b.Capabilities, "extensions")
		_ = wire.Members(ext, func(key []byte, at wire.Span) error {
			if name := string(key); !seen[name] && (b.Legacy == legacy || name != tasksExtension) {
				seen[name] = true
				quoted := wire.Quote(name)
				extensions = append(extensions, string(quoted)+":"+string(at.In(ext)))
			}
			return nil
		})
	}
	out := ""
	if len(tasks) > 0 {
		out += `,"tasks":` + tasks[0]
	}
	if len(extensions) > 0 {
		out += `,"extensions":{` + strings.Join(extensions, ",") + `}`
	}
	return out
}

func joined(backends []*Backend) string {
	var out strings.Builder
	left := len(backends)
	for _, b := range backends {
		text := strings.TrimSpace(b.Instructions)
		share := min(maxOne, (maxInstructions-out.Len())/max(left, 1))
		left--
		if text == "" || share < 40 {
			continue
		}
		if len(text) > share {
			text = strings.ToValidUTF8(text[:share], "") + "…"
		}
		if out.Len() > 0 {
			out.WriteString("\n\n")
		}
		out.WriteString("## " + b.Name + "\n" + text)
	}
	return out.String()
}

// listTail are the members of a modern list result behind its items. meta are further
// ones of its _meta, with a comma in front.
func (s *Scope) listTail(ttl int64, private bool, meta string) string {
	scope := "public"
	if private {
		scope = "private"
	}
	return `,"resultType":"complete","ttlMs":` + strconv.FormatInt(ttl, 10) + `,"cacheScope":"` + scope + `"` +
		strings.TrimSuffix(s.Identity.meta, "}") + meta + "}"
}
