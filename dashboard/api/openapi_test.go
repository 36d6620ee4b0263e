package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
)

func init() {
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.FileBodyDecoder)
}

var description = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater())
})

var finder = sync.OnceValues(func() (routers.Router, error) {
	doc, err := description()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// answered holds an answer against the description: its status must be there, and
// its body have the shape. What is not described must be an error.
func answered(t *testing.T, r *http.Request, resp *http.Response, body []byte) {
	t.Helper()
	find, err := finder()
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := find.FindRoute(r)
	if err != nil {
		if resp.StatusCode < 400 {
			t.Errorf("%s %s answers %d and is not described", r.Method, r.URL.Path, resp.StatusCode)
		}
		return
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil && resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("%s %s answers what is not described: %v\n%s", r.Method, r.URL.Path, err, body)
	}
}

func TestTheDescriptionIsValid(t *testing.T) {
	if _, err := description(); err != nil {
		t.Fatal(err)
	}
	status, text := newHouse(t).call(t, "GET", "/api/openapi.json", "")
	var served struct {
		OpenAPI string
		Info    struct{ Version string }
	}
	if err := json.Unmarshal([]byte(text), &served); err != nil || status != 200 {
		t.Fatalf("%d, %v", status, err)
	}
	if served.OpenAPI != "3.1.0" || served.Info.Version != "1.2.3" {
		t.Errorf("served is OpenAPI %s of version %s", served.OpenAPI, served.Info.Version)
	}
}

func TestEveryRouteIsDescribedAndEveryDescriptionRouted(t *testing.T) {
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	routed := map[string]bool{}
	for _, r := range newHouse(t).server.routes().Routes() {
		path := r.Path
		for _, name := range []string{"name", "id"} {
			path = strings.ReplaceAll(path, ":"+name, "{"+name+"}")
		}
		routed[r.Method+" "+path] = true
		// Not an operation: what is not there, and the same without a body.
		known := []string{"/.well-known/*", "/register"}
		if r.Method == http.MethodHead || r.Method == "echo_route_not_found" || slices.Contains(known, r.Path) {
			continue
		}
		if isMCP(r.Path) && (r.Path != "/mcp" || !slices.Contains([]string{"GET", "POST", "DELETE"}, r.Method)) {
			continue // MCP's own business, or routed so that the gateway itself refuses it
		}
		if !described[r.Method+" "+path] {
			t.Errorf("%s %s is not described", r.Method, path)
		}
	}
	for operation := range described {
		if !routed[operation] {
			t.Errorf("%s is described and not routed", operation)
		}
	}
}

// The schemas name the fields that the types have, no more and no fewer, and
// require those that are always there.
func TestSchemasHaveTheFieldsOfTheTypes(t *testing.T) {
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"Error":             errorAnswer{},
		"Health":            healthAnswer{},
		"Registration":      registration{},
		"Stats":             journal.Stats{},
		"Container":         discovery.Container{},
		"Diagnostic":        discovery.Diagnostic{},
		"Setting":           discovery.Setting{},
		"Backend":           backend{},
		"BackendAnswer":     backendAnswer{},
		"Endpoint":          gateway.EndpointState{},
		"LogEntry":          journal.Entry{},
		"Tool":              tool{},
		"Tools":             toolsAnswer{},
		"TokenParts":        catalog.Tokens{},
		"Altered":           gateway.Altered{},
		"Caller":            journal.Caller{},
		"Callers":           callersAnswer{},
		"ToolSwitch":        turn{},
		"BackendSwitch":     turn{},
		"ToolSwitchAnswer":  toolAnswer{},
		"ToolsSwitch":       turnTools{},
		"ToolsSwitchAnswer": toolsChanged{},
		"Resource":          gateway.ResourceState{},
		"ResourceTemplate":  gateway.TemplateState{},
		"Resources":         resourcesAnswer{},
		"Prompt":            gateway.PromptState{},
		"Prompts":           promptsAnswer{},
		"Beat":              gateway.Beat{},
		"Check":             gateway.Check{},
		"Change":            journal.Change{},
		"Changes":           changesAnswer{},
		"Overview":          overview{},
		"Attention":         attention{},
		"BackendTest":       candidate{},
		"BackendTestAnswer": tried{},
		"ToolCall":          toolCall{},
		"ToolCallAnswer":    toolCalled{},
		"Call":              journal.Call{},
		"CallClient":        journal.CallClient{},
		"CallTiming":        journal.CallTiming{},
		"CallDetail":        journal.CallDetail{},
		"Calls":             callsAnswer{},
		"StatsSeries":       journal.Series{},
		"StatsTotal":        journal.Totals{},
		"StatsTool":         journal.ToolNumbers{},
		"StatsSpark":        journal.Spark{},
		"StatsBackend":      journal.BackendNumbers{},
		"StatsSelf":         selfNumbers{},
		"StatsRange":        statsAnswer{},
		"Client":            journal.ClientState{},
		"Refusal":           journal.Refusal{},
		"Clients":           clientsAnswer{},
		"Engine":            discovery.Engine{},
		"Observed":          discovery.Observed{},
		"ObservedBackend":   discovery.ObservedBackend{},
		"Step":              discovery.Step{},
		"Discovery":         discoveryAnswer{},
	} {
		schema := doc.Components.Schemas[name].Value
		var described []string
		for property := range schema.Properties {
			described = append(described, property)
		}
		all, always := jsonFields(reflect.TypeOf(value))
		if in, comesIn := incoming[name]; comesIn {
			always = in
		}
		slices.Sort(described)
		required := slices.Sorted(slices.Values(schema.Required))
		if !slices.Equal(described, all) {
			t.Errorf("%s: described %v, the type has %v", name, described, all)
		}
		if !slices.Equal(required, always) {
			t.Errorf("%s: required %v, always there are %v", name, required, always)
		}
	}
}

// incoming are the fields that requests must have.
var incoming = map[string][]string{
	"Registration": {"name", "transport", "url"},
	"BackendTest":  {"transport", "url"},
	"ToolCall":     nil,
}

func jsonFields(typ reflect.Type) (all, always []string) {
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" {
			continue
		}
		all = append(all, name)
		if !strings.Contains(options, "omit") {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}
