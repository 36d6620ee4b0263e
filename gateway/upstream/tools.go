package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// Tool is one tool of the backend, with what a call of it needs to know.
type Tool struct {
	catalog.Tool
	// Mirror is set when arguments have to be repeated in headers (x-mcp-header,
	// 2026-07-28): what mcp.GenerateParamHeaders needs.
	Mirror *mcp.Tool
}

// Codes of the remarks on a backend's list; labels.md explains them.
const (
	codeLeftOut = "T001"
	codeCursor  = "T002"
)

// listTools reads all pages of the backend's list. Tools that no client could use
// are left out, each with a diagnostic: one bad tool must not cost the others,
// and clients that validate would refuse the whole list because of it.
func listTools(ctx context.Context, f self, s session, nextID func() int64) ([]Tool, []discovery.Diagnostic, error) {
	var tools []Tool
	var remarks []discovery.Diagnostic
	bad := 0
	seen := map[string]bool{}
	params, size := "", 0
	for range maxListPages {
		result, err := f.ask(ctx, s, nextID(), mcp.MethodToolsList, params)
		if err != nil {
			return nil, nil, fmt.Errorf("tools/list: %w", err)
		}
		if size += len(result); size > maxListBytes {
			return nil, nil, fmt.Errorf("tools/list: more than %d MiB", maxListBytes>>20)
		}
		list := wire.Member(result, "tools")
		if list == nil {
			return nil, nil, fmt.Errorf(`tools/list: the result has no "tools": %s`, oneLine(string(result[:min(len(result), 200)])))
		}
		err = wire.Elements(list, func(raw []byte) error {
			t, err := readTool(raw)
			if err != nil {
				if bad++; bad <= maxRemarks {
					remarks = append(remarks, leftOut(fmt.Sprintf("tool %s is left out: %v", toolLabel(raw), err)))
				}
				return nil
			}
			if len(tools) == maxTools {
				return fmt.Errorf("more than %d tools", maxTools)
			}
			tools = append(tools, t)
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("tools/list: %w", err)
		}
		cursor := wire.Member(result, "nextCursor")
		last := cursor == nil || string(cursor) == "null"
		repeated := seen[string(cursor)]
		if (last || repeated) && bad > maxRemarks {
			remarks = append(remarks, leftOut(fmt.Sprintf("%d more tools are left out", bad-maxRemarks)))
		}
		if last {
			return tools, remarks, nil
		}
		if repeated {
			remarks = append(remarks, discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeCursor,
				Message: fmt.Sprintf("tools/list repeats the cursor %s: the list was read until there", oneLine(string(cursor)))})
			return tools, remarks, nil
		}
		seen[string(cursor)] = true
		params = `"cursor":` + string(cursor)
	}
	return nil, nil, fmt.Errorf("tools/list: more than %d pages", maxListPages)
}

// maxRemarks is how many bad tools of one list are named; the rest is counted.
const maxRemarks = 50

func leftOut(message string) discovery.Diagnostic {
	return discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeLeftOut, Message: message,
		Suggestion: "mend the tool's definition in the server"}
}

func toolLabel(raw []byte) string {
	if name := wire.Member(raw, "name"); name != nil {
		return oneLine(string(name))
	}
	return "without a name"
}

// readTool takes a tool that harms no list it is put into, and prepares what a
// call of it needs. A client must leave out a tool whose x-mcp-header annotations
// are wrong (2026-07-28, basic/transports), which the gateway does for its own.
func readTool(raw []byte) (Tool, error) {
	parsed, err := catalog.ParseTool(bytes.Clone(raw))
	if err != nil {
		return Tool{}, err
	}
	t := Tool{Tool: parsed}
	if schema := wire.Member(parsed.Raw, "inputSchema"); bytes.Contains(schema, []byte("x-mcp-header")) {
		m := &mcp.Tool{Name: parsed.Name, RawInputSchema: json.RawMessage(schema)}
		if err := mcp.ValidateParamHeaderAnnotations(m); err != nil {
			return Tool{}, err
		}
		if len(mcp.ExtractParamHeaderBindings(m)) > 0 {
			t.Mirror = m
		}
	}
	return t, nil
}

func sameTools(a, b []Tool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].Raw, b[i].Raw) {
			return false
		}
	}
	return true
}
