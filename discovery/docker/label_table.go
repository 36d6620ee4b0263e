package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// settings are what the labels of a container say of one backend, defaults filled
// in where they do not depend on the container.
type settings struct {
	enabled   bool
	instances []string // of the gateway; empty: every one

	name        string // "" = from the service or container
	transport   discovery.Transport
	port        int    // 0 = inferred
	path        string // "" = by transport
	scheme      string
	url         string // "" = made of the container's address, port and path
	network     string // "" = the gateway's
	headers     map[string]string
	tls         discovery.TLS
	callTimeout time.Duration // 0 = the gateway's
	tuning      discovery.Tuning
	shape       discovery.Shape
	groups      []string // sorted

	auth          string            // one of authKinds; "" = none
	authSecret    string            // name of the secret
	secretHeaders map[string]string // header → name of the secret

	weight       int
	balance      discovery.Balance
	health       string        // one of healthKinds
	removalGrace time.Duration // how long its tools stay listed when it ended

	stdioMode    string // attach or exec
	stdioCommand []string
	stdioSession string // shared or per-client
}

func defaults() settings {
	return settings{
		enabled: true, scheme: "http", transport: discovery.TransportAuto,
		weight: 1, balance: discovery.BalanceSticky, health: healthAuto,
		stdioMode: stdioAttach, stdioSession: stdioShared,
	}
}

// clone is a copy that shares nothing that a label changes in place.
func (s settings) clone() settings {
	s.headers, s.secretHeaders = maps.Clone(s.headers), maps.Clone(s.secretHeaders)
	s.shape.Rename = maps.Clone(s.shape.Rename)
	return s
}

// label is one row of the label contract. labels.md is generated from the rows.
type label struct {
	key string // without the prefix; a family ends in "."
	// kind, fallback, example and doc are for people. wrong is what a mistake says.
	kind, fallback, example, doc, wrong string
	// member is what a family's example has behind the dot.
	member string
	// strict labels decide where requests go and who may see or reach what: a wrong
	// value keeps the backend out. Others fall back to their default.
	strict bool
	// set stores value. rest is the key after a family's dot, in the case that it
	// was written in. A remark is something to tell although the value was taken.
	set func(s *settings, rest, value string) (remark string, err error)
}

func (l label) family() bool { return strings.HasSuffix(l.key, ".") }

// placeholder stands for what a family has behind the dot.
func (l label) placeholder() string {
	if !l.family() {
		return ""
	}
	if l.key == "tools.rename." {
		return "<old>"
	}
	return "<Name>"
}

// labelGroup are the rows of one purpose.
type labelGroup struct {
	title string
	rows  []label
}

// labelGroups are the label contract of this version, in the order people need it.
var labelGroups = []labelGroup{
	{"Basics", basicLabels},
	{"Reaching it", reachLabels},
	{"What clients see", viewLabels},
	{"Secrets", secretLabels},
	{"Patience and health", patienceLabels},
	{"stdio", stdioLabels},
	{"Replicas", replicaLabels},
}

var labelTable = func() (rows []label) {
	for _, g := range labelGroups {
		rows = append(rows, g.rows...)
	}
	return rows
}()

// valueError says why a value was refused, and what would be accepted.
type valueError struct{ problem, fix string }

func (e valueError) Error() string { return e.problem }

func refuse(fix, format string, args ...any) error {
	return valueError{problem: fmt.Sprintf(format, args...), fix: fix}
}

// lookup finds the row for a key, which may be in any case.
func lookup(key string) (l label, rest string, ok bool) {
	lower := lowerASCII(key)
	for _, l := range labelTable {
		if l.family() && strings.HasPrefix(lower, l.key) && len(key) > len(l.key) {
			return l, key[len(l.key):], true
		}
		if lower == l.key {
			return l, "", !l.family()
		}
	}
	return label{}, "", false
}

// lowerASCII keeps the length, which strings.ToLower does not for every letter.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func labelKeys() []string {
	keys := make([]string, len(labelTable))
	for i, l := range labelTable {
		keys[i] = l.key
	}
	return keys
}

// words reads a list with commas between: trimmed, without empty ones.
func words(value string) []string {
	var out []string
	for w := range strings.SplitSeq(value, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// oneOf reads a word of a closed set.
func oneOf(value string, set ...string) (string, error) {
	v := lowerASCII(value)
	if slices.Contains(set, v) {
		return v, nil
	}
	return "", refuse(nearest(v, set), "is none of %s", strings.Join(set, ", "))
}
