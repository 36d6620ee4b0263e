// Package compose reads compose files without an engine, and says what the gateway
// would say of the containers that they describe, with lines. It knows of a compose
// file what a label needs, and no more.
package compose

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"mcp-gw/discovery"
	"mcp-gw/discovery/docker"
)

// MaxFile bounds the size of a file, in bytes.
const MaxFile = 4 << 20

// Codes of remarks that only a file can have. The others are those of labels.md.
const (
	codeDeployLabels = "F001" // labels of the service, which no container gets
	codeNotFollowed  = "F002" // extends and include
	codeSameName     = "L020"
)

// wholeFile shows what compose makes of a file and all that it is made of.
const wholeFile = "docker compose config | mcp-gw lint -"

// Options are the gateway's.
type Options struct {
	// Network is the one that containers share with it; "" = the default.
	Network string
}

// Finding is one remark on a line of a file.
type Finding struct {
	File     string             `json:"file"`
	Line     int                `json:"line"`
	Service  string             `json:"service,omitempty"`
	Severity discovery.Severity `json:"severity"`
	Code     string             `json:"code"`
	Message  string             `json:"message"`
	Fix      string             `json:"fix,omitempty"`
}

// Lint reads one compose file. An error says that it is none.
func Lint(file string, data []byte, opts Options) ([]Finding, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("is larger than %d MiB", MaxFile>>20)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("is empty")
	}
	root := doc.Content[0]
	if err := checkSize(root); err != nil {
		return nil, err
	}
	services := get(root, "services")
	if services == nil || services.Kind != yaml.MappingNode {
		return nil, errors.New("has no services: is it a compose file?")
	}
	l := &linter{file: file, network: cmp.Or(opts.Network, docker.DefaultNetwork), networkOf: map[string]*yaml.Node{}, named: map[string]string{}}
	for _, p := range pairs(get(root, "networks")) {
		l.networkOf[p.key.Value] = p.value
	}
	l.project = text(get(root, "name"))
	if l.project == "" {
		l.project = filepath.Base(filepath.Dir(absolute(file)))
	}
	if n := get(root, "include"); n != nil {
		l.say(n, "", discovery.SeverityInfo, codeNotFollowed, "included files are not followed", wholeFile)
	}
	for _, s := range pairs(services) {
		l.service(s.key, s.value)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.found, nil
}

type linter struct {
	file, network, project string
	networkOf              map[string]*yaml.Node // the file's networks by their keys
	named                  map[string]string     // backend → the service that has it
	found                  []Finding
}

func (l *linter) say(at *yaml.Node, service string, severity discovery.Severity, code, message, fix string) {
	l.found = append(l.found, Finding{File: l.file, Line: at.Line, Service: service, Severity: severity, Code: code, Message: message, Fix: fix})
}

func (l *linter) service(key, body *yaml.Node) {
	name := key.Value
	own := readLabels(get(body, "labels"))
	service := readLabels(get(get(body, "deploy"), "labels"))
	for _, x := range service {
		if docker.Concerns("", x.key) {
			l.say(x.at, name, discovery.SeverityError, codeDeployLabels,
				fmt.Sprintf("%q stands under deploy.labels: those are labels of the swarm service, and no container gets them", x.key),
				fmt.Sprintf("move it to services.%s.labels", name))
		}
	}
	extends := get(body, "extends")
	if extends != nil {
		l.say(extends, name, discovery.SeverityInfo, codeNotFollowed, fmt.Sprintf("%q extends another service, which is not followed: what it takes from there is not known here", name), wholeFile)
	}
	if !slices.ContainsFunc(own, func(x label) bool { return docker.Concerns("", x.key) }) {
		return
	}
	c := docker.Planned{Project: l.project, Service: name, Labels: map[string]string{}, NetworkMode: text(get(body, "network_mode")),
		Ports: ports(body), OpenStdin: text(get(body, "stdin_open")) == "true", TTY: text(get(body, "tty")) == "true"}
	unknown, lines := map[string]bool{}, map[string]*yaml.Node{}
	for _, x := range own {
		c.Labels[x.key], lines[strings.ToLower(x.key)] = x.value, x.at
		if x.unknown {
			unknown[x.key] = true
		}
	}
	c.Networks = l.networks(body)
	remarks, backends := docker.Lint("", l.network, c, unknown)
	for _, d := range remarks {
		if extends != nil && (d.Code == "L011" || d.Code == "N001") {
			continue // the other service may have it
		}
		l.say(l.lineOf(d, key, body, lines), name, d.Severity, d.Code, d.Message, d.Suggestion)
	}
	for _, backend := range backends {
		other, taken := l.named[backend]
		if !taken {
			l.named[backend] = name
			continue
		}
		at := key
		if n := lines["mcp-gw.name"]; n != nil {
			at = n
		}
		l.say(at, name, discovery.SeverityError, codeSameName, fmt.Sprintf("the name %q is already that of service %q; one of the two is not registered", backend, other),
			"mcp-gw.name=<another name>, as a label of one of the two")
	}
}

// lineOf is where a remark is mended: at the label it is about, or at the setting.
// labels are the lines by lower-cased key.
func (l *linter) lineOf(d discovery.Diagnostic, key, body *yaml.Node, labels map[string]*yaml.Node) *yaml.Node {
	settings := map[string][]string{"N001": {"network_mode", "networks"}, "S001": {"stdin_open"}, "S002": {"tty"}}
	for _, s := range settings[d.Code] {
		if n := get(body, s); n != nil {
			return n
		}
	}
	if n := labels[strings.ToLower(d.Label)]; n != nil && d.Label != "" {
		return n
	}
	return key
}

// networks are the real names of a service's networks.
func (l *linter) networks(body *yaml.Node) []string {
	var names []string
	n := get(body, "networks")
	switch {
	case n == nil:
		names = []string{"default"}
	case n.Kind == yaml.SequenceNode:
		for _, x := range n.Content {
			names = append(names, text(x))
		}
	default:
		for _, p := range pairs(n) {
			names = append(names, p.key.Value)
		}
	}
	for i, name := range names {
		names[i] = l.realName(name)
	}
	slices.Sort(names)
	return names
}

// realName is what compose calls a network of the file. One that the gateway makes
// use of without a fixed name counts as its own: compose puts the project before it,
// and the gateway finds that.
func (l *linter) realName(name string) string {
	n := l.networkOf[name]
	if fixed := text(get(n, "name")); fixed != "" {
		return fixed
	}
	external := get(n, "external")
	if text(external) == "true" || external != nil && external.Kind == yaml.MappingNode || slices.Contains(docker.Networks(l.network), name) {
		return cmp.Or(text(get(external, "name")), name)
	}
	return l.project + "_" + name
}

func absolute(file string) string {
	if path, err := filepath.Abs(file); err == nil {
		return path
	}
	return file
}
