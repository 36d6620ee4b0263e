package discovery

import "time"

// Severity of a Diagnostic.
type Severity string

const (
	// SeverityInfo is worth knowing.
	SeverityInfo Severity = "info"
	// SeverityWarning means that a value was ignored and the rest applies.
	SeverityWarning Severity = "warning"
	// SeverityError means that the container was not registered.
	SeverityError Severity = "error"
)

// Diagnostic is one remark on how something was described, with its fix. Code is
// stable (labels.md lists all); Value is masked where it may be a secret.
type Diagnostic struct {
	Severity   Severity  `json:"severity"`
	Code       string    `json:"code"`
	Container  string    `json:"container,omitempty"`
	Label      string    `json:"label,omitempty"`
	Value      string    `json:"value,omitempty"`
	Message    string    `json:"message"`
	Suggestion string    `json:"suggestion,omitempty"`
	DocsURL    string    `json:"docsUrl,omitempty"`
	FirstSeen  time.Time `json:"firstSeen,omitzero"`
	Generation string    `json:"generation,omitempty"`
}

// Engine is the state of the connection to a container engine.
type Engine struct {
	// Connected: events are being read, or refused, and the last listing succeeded.
	Connected bool `json:"connected"`
	// Endpoint is the address of the engine, as configured.
	Endpoint string `json:"endpoint"`
	// Version and APIVersion are what the engine said of itself.
	Version    string `json:"version,omitempty"`
	APIVersion string `json:"apiVersion,omitempty"`
	// Error says why it is not connected, and what to do; or, while it is, what
	// the engine refuses to tell. Code is its stable code (labels.md lists all).
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
	// LastEventAt is when the last event was read; LastSyncAt when the last full
	// listing was.
	LastEventAt time.Time `json:"lastEventAt,omitzero"`
	LastSyncAt  time.Time `json:"lastSyncAt,omitzero"`
	// Network is the one that containers must share with the gateway.
	Network string `json:"network"`
	// NetworkProblem says what is wrong with that network, and the command that
	// mends it. Empty when nothing is.
	NetworkProblem string `json:"networkProblem,omitempty"`
}

// Observed is one container that a provider has seen, candidate or not.
type Observed struct {
	Container
	// State is the engine's word: created, running, paused, restarting, exited…
	State string `json:"state"`
	// Verdict is a stable code: registered, registered_warn, not_labelled,
	// near_miss_label, label_value, disabled, no_port, port_ambiguous,
	// not_running, restarting, no_shared_network, conflict, self, one_off, flapping, gone,
	// not_allowed, not_enabled, other_instance, secret, stdio, unhealthy,
	// deploy_labels.
	Verdict string `json:"verdict"`
	// Reason is the verdict in a sentence; Fix is what to do, ready to copy.
	Reason string `json:"reason"`
	Fix    string `json:"fix,omitempty"`
	// Backend is the name it is, or would be, registered under.
	Backend string `json:"backend,omitempty"`
	// URL is the address that it is, or would be, reached at.
	URL string `json:"url,omitempty"`
	// Labels are the container's labels that concern the gateway, or look as if
	// they were meant to; values that may be secrets are masked.
	Labels map[string]string `json:"labels,omitempty"`
	// Others are the further backends of a container that has several.
	Others []ObservedBackend `json:"others,omitempty"`
	// Ladder are the eight steps from being seen to tools being listed, in order.
	// Discovery knows the first five; who connects fills in the rest.
	Ladder []Step `json:"ladder,omitempty"`
	// Settings are the effective ones, each with its source: label, default,
	// image or inferred.
	Settings    []Setting    `json:"settings,omitempty"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	// LastLog are the last lines that a container printed before it stopped; in the
	// answer to who asks for that container alone, and not in a report.
	LastLog []string  `json:"lastLog,omitempty"`
	SeenAt  time.Time `json:"seenAt,omitzero"`
}

// ObservedBackend is one backend of a container that has several.
type ObservedBackend struct {
	Backend  string    `json:"backend"`
	URL      string    `json:"url,omitempty"`
	Verdict  string    `json:"verdict"`
	Reason   string    `json:"reason"`
	Fix      string    `json:"fix,omitempty"`
	Settings []Setting `json:"settings,omitempty"`
}

// Step is one rung of the ladder from a container that is seen to its tools in a
// client's list.
type Step struct {
	// Name is one of StepNames.
	Name string `json:"name"`
	// State is "ok", "warn", "failed", or "pending" for what was not come to.
	State string `json:"state"`
	// Detail says what was found, in a sentence.
	Detail string `json:"detail,omitempty"`
}

// StepNames are the rungs of the ladder, in order.
var StepNames = []string{"seen", "labelled", "labels valid", "running and healthy",
	"shares a network", "port reachable", "speaks MCP", "tools listed"}

// Setting is one effective value and where it came from.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Report is all that a provider knows: nothing is ignored silently.
type Report struct {
	Engine     Engine     `json:"engine"`
	Containers []Observed `json:"containers"`
}
