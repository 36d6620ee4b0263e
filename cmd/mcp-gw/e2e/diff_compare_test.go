package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// view is a client's look at a server through an endpoint.
type view struct {
	endpoint
	client clientKind
	server *diffServer
}

// cacheable are the methods whose results must say in the 2026 era how long they
// may be kept.
var cacheable = []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"}

// listed are the members of the results that hold lists.
var listed = map[string]string{
	"tools/list": "tools", "prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates",
}

// compare fails the test unless got, seen through the endpoint, is what was seen
// at the server itself.
func (v view) compare(t *testing.T, s step, want, got outcome) {
	t.Helper()
	for _, difference := range v.differences(s, want, got) {
		t.Errorf("%s %s at %s: %s", s.method, s.params, v.where, difference)
	}
}

// differences are those between what was seen at the server itself and through
// the endpoint, byte for byte but for what is documented.
func (v view) differences(s step, want, got outcome) []string {
	found := v.era(s, got)
	if v.client.raw && !v.direct && !v.crossed() && v.server.transport == "http" && got.status != want.status {
		found = append(found, fmt.Sprintf("got HTTP %d, want %d", got.status, want.status))
	}
	if v.shared {
		got.result, want.result = v.own(s, got.result, want.result)
	}
	found = append(found,
		v.listDifference(s, v.result(s, got.result), v.result(s, want.result)),
		v.difference("error", v.failure(s, got.failure), v.failure(s, want.failure)),
		v.difference("requests of the server", v.requests(got.asked), v.requests(want.asked)),
		v.difference("log messages", v.server.mask(s, lines(got.logs)), v.server.mask(s, lines(want.logs))))
	if v.client.raw {
		found = append(found, v.difference("progress", lines(got.reports), lines(want.reports)))
	} else {
		found = append(found, reportsOfSDK(got.reports, want.reports))
	}
	return slices.DeleteFunc(found, func(difference string) bool { return difference == "" })
}

// listDifference is difference for results. The gateway writes what lists hold
// beside their items, so the order of this is its own.
func (v view) listDifference(s step, got, want []byte) string {
	key := listed[s.method]
	if key == "" || got == nil || want == nil {
		return v.difference("result", got, want)
	}
	if found := v.difference("list", get(got, key), get(want, key)); found != "" {
		return found
	}
	return v.difference("result", canonical(without(got, key)), canonical(without(want, key)))
}

// crossed says that the gateway stands between two eras here.
func (v view) crossed() bool { return v.client.modern != v.server.modern || v.server.both }

// greet fails the test unless what is said of the server is what it says.
func (v view) greet(t *testing.T, got, want serverHello) {
	t.Helper()
	for _, difference := range []string{
		v.difference("server info", got.server, want.server),
		v.difference("instructions", got.instructions, want.instructions),
		v.difference("capabilities", canonical(v.capabilities(got)), canonical(v.capabilities(want))),
	} {
		if difference != "" {
			t.Errorf("at %s: %s", v.where, difference)
		}
	}
}

// capabilities are those that there are in both eras, where it stands between two.
func (v view) capabilities(of serverHello) []byte {
	if v.client.modern && v.crossed() {
		return without(of.capabilities, "tasks")
	}
	return of.capabilities
}

// era says what a client lacks that its era requires.
func (v view) era(s step, got outcome) (missing []string) {
	for _, request := range got.asked {
		if params := get(request, "params"); str(params, "mode") == "url" && str(params, "elicitationId") == "" && !v.client.modern && !v.direct {
			missing = append(missing, fmt.Sprintf("got no elicitationId in %s", request))
		}
	}
	if !v.client.raw || !v.client.modern || got.result == nil || v.direct || strings.Contains(s.method, "subscribe") {
		return missing
	}
	if kind := str(got.result, "resultType"); kind != "complete" {
		missing = append(missing, fmt.Sprintf("got resultType %q, want complete, in %.300s", kind, got.result))
	}
	if !slices.Contains(cacheable, s.method) {
		return missing
	}
	if scope := str(got.result, "cacheScope"); scope != "public" && scope != "private" {
		missing = append(missing, fmt.Sprintf("got cacheScope %q, want public or private", scope))
	}
	var ttl int64
	if err := json.Unmarshal(get(got.result, "ttlMs"), &ttl); err != nil || ttl < 0 {
		missing = append(missing, fmt.Sprintf("got ttlMs %s, want a number from 0", get(got.result, "ttlMs")))
	}
	return missing
}

// own reduces lists of an endpoint with many backends to what is the server's,
// in the server's names.
func (v view) own(s step, got, want []byte) ([]byte, []byte) {
	key := listed[s.method]
	if key == "" || got == nil || want == nil {
		return got, want
	}
	var ours [][]byte
	for _, item := range array(get(got, key)) {
		switch key {
		case "tools", "prompts":
			if name, ok := strings.CutPrefix(str(item, "name"), v.prefix); ok {
				ours = append(ours, replace(item, "name", fmt.Sprintf("%q", name)))
			}
		default:
			id := map[string]string{"resources": "uri", "resourceTemplates": "uriTemplate"}[key]
			if slices.ContainsFunc(array(get(want, key)), func(w []byte) bool { return str(w, id) == str(item, id) }) {
				ours = append(ours, item)
			}
		}
	}
	list := func(items [][]byte) []byte {
		return []byte(`{"` + key + `":[` + string(bytes.Join(items, []byte(","))) + `]}`)
	}
	return list(ours), list(array(get(want, key)))
}

// result is the text of a result without what the eras differ in.
func (v view) result(s step, text []byte) []byte {
	if text == nil {
		return nil
	}
	if listed[s.method] != "" && !v.client.modern {
		// Some servers say it in the 2025 era, too, which does not know it.
		text = without(text, "ttlMs", "cacheScope")
	}
	if v.crossed() {
		text = without(text, "resultType")
		if slices.Contains(cacheable, s.method) {
			text = without(text, "ttlMs", "cacheScope")
		}
		if meta := get(text, "_meta"); meta != nil {
			meta = without(meta, "io.modelcontextprotocol/serverInfo")
			if text = replace(text, "_meta", string(meta)); len(meta) == len("{}") {
				text = without(text, "_meta")
			}
		}
		switch {
		case s.method == "tools/list":
			text = withoutExecution(text)
		case str([]byte(s.params), "name") == "whoami":
			// A client of the 2026 era cannot say that its roots have changed.
			text = bytes.Replace(text, []byte(`\"roots\":{\"listChanged\":true}`), []byte(`\"roots\":{}`), 1)
		}
	}
	return v.server.mask(s, text)
}

// array splits the text of an array; what is none has no elements.
func array(text []byte) [][]byte {
	var raw []json.RawMessage
	_ = json.Unmarshal(text, &raw)
	items := make([][]byte, len(raw))
	for i, r := range raw {
		items[i] = r
	}
	return items
}

// withoutExecution is a list of tools without the member that the 2026 era has
// no more.
func withoutExecution(text []byte) []byte {
	tools := array(get(text, "tools"))
	for i, tool := range tools {
		tools[i] = without(tool, "execution")
	}
	return replace(text, "tools", "["+string(bytes.Join(tools, []byte(",")))+"]")
}

var notFound = regexp.MustCompile(`-32002|-32602`)

// spelled is what SDKs write around the message of an error, by era.
var spelled = regexp.MustCompile(`MCP error -?\d+: |sending \\"[a-z/]+\\": |: rejected by transport: [A-Za-z ]+`)

// failure is the text of an error without what the eras differ in.
func (v view) failure(s step, text []byte) []byte {
	if text == nil {
		return nil
	}
	if v.crossed() {
		text = notFound.ReplaceAll(text, []byte("-32602"))
		if !v.client.raw {
			text = spelled.ReplaceAll(without(text, "name"), nil)
		}
	}
	return v.server.mask(s, text)
}

// requests are those of the server that belong to what the client does, in an
// order of their own: server-everything asks for the roots by itself, soon after
// it was greeted.
func (v view) requests(asked [][]byte) []byte {
	asked = slices.Clone(asked)
	if strings.HasPrefix(v.server.name, "server-everything") {
		asked = slices.DeleteFunc(asked, func(request []byte) bool { return str(request, "method") == "roots/list" })
	}
	if v.crossed() {
		for i, request := range asked {
			asked[i] = withoutID(request)
		}
	}
	slices.SortFunc(asked, bytes.Compare)
	return lines(asked)
}

// withoutID cuts the id of an elicitation by URL, which the 2025 era requires
// and the 2026 era does not have.
func withoutID(request []byte) []byte {
	params := get(request, "params")
	if str(params, "mode") != "url" {
		return request
	}
	return replace(request, "params", string(without(params, "elicitationId")))
}

func lines(texts [][]byte) []byte { return bytes.Join(texts, []byte("\n")) }

// difference says where bytes differ, or for SDKs, which write JSON as they
// please, values.
func (v view) difference(what string, got, want []byte) string {
	if !v.client.raw {
		got, want = canonical(got), canonical(want)
	}
	if bytes.Equal(got, want) {
		return ""
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	from := max(0, at-200)
	return fmt.Sprintf("%s: %d bytes, want %d; the first difference is at %d:\n got …%.500s\nwant …%.500s",
		what, len(got), len(want), at, got[min(from, len(got)):], want[min(from, len(want)):])
}

// canonical is the text of JSON values with members in order and numbers as
// they were.
func canonical(text []byte) []byte {
	var out bytes.Buffer
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for dec.More() {
		var value any
		if err := dec.Decode(&value); err != nil {
			return text
		}
		part, err := json.Marshal(value)
		if err != nil {
			return text
		}
		out.Write(append(part, '\n'))
	}
	return out.Bytes()
}
