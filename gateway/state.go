package gateway

import (
	"encoding/json"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
)

// BackendState is one backend as the REST API shows it. The first group of
// fields is what the API has always answered; the rest were added since.
type BackendState struct {
	Name      string              `json:"name"`
	URL       string              `json:"url"`
	Transport discovery.Transport `json:"transport"`
	Enabled   bool                `json:"enabled"`
	// Headers have their values masked.
	Headers map[string]string `json:"headers,omitempty"`
	// Tools are the backend's own objects, byte for byte, original names.
	Tools []json.RawMessage `json:"tools"`
	// Status is connecting, connected, disconnected or error.
	Status     string     `json:"status"`
	LatencyMs  *float64   `json:"latencyMs"`
	LastPingAt *time.Time `json:"lastPingAt"`
	Error      *string    `json:"error"`

	Source    string               `json:"source"`
	Container *discovery.Container `json:"container,omitempty"`
	// State is the finer one: probing, ready, degraded, holding, failed, disabled.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Failure is how far the last connect came: dns, refused, timeout, unreachable and
	// tls did not reach the server; no_answer, closed, http_status, auth_required,
	// not_mcp and protocol did; list_failed is the last step. Empty: it did not fail.
	Failure string `json:"failure,omitempty"`
	// Answer is the beginning of what the server answered that was no MCP, 200 bytes of
	// it at most.
	Answer          string          `json:"answer,omitempty"`
	NextRetryAt     *time.Time      `json:"nextRetryAt,omitempty"`
	ProtocolVersion string          `json:"protocolVersion,omitempty"`
	Era             string          `json:"era,omitempty"`
	ServerInfo      json.RawMessage `json:"serverInfo,omitempty"`
	Instructions    string          `json:"instructions,omitempty"`
	Resources       int             `json:"resources"`
	Prompts         int             `json:"prompts"`
	Groups          []string        `json:"groups,omitempty"`
	Title           string          `json:"title,omitempty"`
	Description     string          `json:"description,omitempty"`
	// Health is how it is in one word: healthy, degraded, connecting, auth_required,
	// down or disabled. DisabledBy says by whom: dashboard, label or file, unknown while
	// nobody can tell what people switched off.
	Health     string `json:"health"`
	DisabledBy string `json:"disabledBy,omitempty"`
	// ToolCount is how many tools it lists, EnabledTools how many of these clients may
	// see, and Tokens what these cost a model, about.
	ToolCount    int `json:"toolCount"`
	EnabledTools int `json:"enabledTools"`
	Tokens       int `json:"tokens"`
	// AlteredTools is how many tools it describes otherwise than before: see Altered.
	AlteredTools int `json:"alteredTools,omitempty"`
	// Beats are the last checks, oldest first.
	Beats []Beat `json:"beats,omitempty"`
	// Replicas is how many processes serve it; Endpoints are these, where there are
	// several.
	Replicas    int                    `json:"replicas"`
	Endpoints   []EndpointState        `json:"endpoints,omitempty"`
	Stats       journal.Stats          `json:"stats"`
	Diagnostics []discovery.Diagnostic `json:"diagnostics"`
}

// EndpointState is one of several processes that serve a backend.
type EndpointState struct {
	ID        string               `json:"id"`
	URL       string               `json:"url"`
	Container *discovery.Container `json:"container,omitempty"`
	// State is that of a backend; draining while it gets no new sessions, and degraded
	// while it gets no requests although it is connected.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Weight is its share of new sessions, relative to the others'.
	Weight int  `json:"weight"`
	Drain  bool `json:"drain,omitempty"`
	// Sessions are those of clients, Calls what is under way.
	Sessions int `json:"sessions"`
	Calls    int `json:"calls"`
}

// ToolState is one tool of the catalogue.
type ToolState struct {
	// Name is what clients call it, OriginalName what its backend does.
	Name         string `json:"name"`
	Backend      string `json:"backend"`
	OriginalName string `json:"originalName"`
	// Tool is the backend's own object, byte for byte.
	Tool  json.RawMessage `json:"tool"`
	Stats journal.Stats   `json:"stats"`
	// Enabled: clients may see and call it. Locked says why no switch can change that,
	// Hidden why clients do not see it although it is switched on.
	Enabled bool   `json:"enabled"`
	Locked  string `json:"locked,omitempty"`
	Hidden  string `json:"hidden,omitempty"`
	// Tokens is what it costs a model, about, and TokenParts what for.
	Tokens     int            `json:"tokens"`
	TokenParts catalog.Tokens `json:"tokenParts"`
	// Altered is how it was before its backend described it otherwise, nil when it is as
	// it was.
	Altered *Altered `json:"altered,omitempty"`
}

// Beat is a check in short.
type Beat struct {
	// T is when, in seconds since 1970; Ms how long it took, -1 when it failed.
	T  int64   `json:"t"`
	Ms float64 `json:"ms"`
}

// Check is one look at whether a backend is there.
type Check struct {
	At time.Time `json:"at"`
	// What was asked: connect, ping or server/discover.
	What string   `json:"what"`
	OK   bool     `json:"ok"`
	Ms   *float64 `json:"ms,omitempty"`
	// Error says why it failed.
	Error string `json:"error,omitempty"`
}

// Catalogue is all that there is, for people: what clients see, and the tools that
// they do not, each with why.
type Catalogue struct {
	Tools     []ToolState
	Resources []ResourceState
	Templates []TemplateState
	Prompts   []PromptState
}

// ResourceState is one resource of the catalogue.
type ResourceState struct {
	// URI is what clients know it by, OriginalURI what its backend does.
	URI         string          `json:"uri"`
	Backend     string          `json:"backend"`
	OriginalURI string          `json:"originalUri"`
	Resource    json.RawMessage `json:"resource"`
}

// TemplateState is one template of resources' URIs.
type TemplateState struct {
	URITemplate         string          `json:"uriTemplate"`
	Backend             string          `json:"backend"`
	OriginalURITemplate string          `json:"originalUriTemplate"`
	Template            json.RawMessage `json:"template"`
}

// PromptState is one prompt.
type PromptState struct {
	Name         string          `json:"name"`
	Backend      string          `json:"backend"`
	OriginalName string          `json:"originalName"`
	Prompt       json.RawMessage `json:"prompt"`
}

// State is what the gateway knows, for people. Every backend, connected or not, appears
// in Backends; Tools has only those that a client can see now, Catalogue all.
type State interface {
	Backends() []BackendState
	Backend(name string) (BackendState, bool)
	// Checks answers the last checks of a backend, oldest first.
	Checks(name string) []Check
	Tools() []ToolState
	Catalogue() Catalogue
}
