package dockerproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// kind is what is asked of the engine. There is no other way to it.
type kind int

const (
	ping kind = iota
	version
	info
	events
	listContainers
	inspectContainer
	attachContainer
	createExec
	startExec
	inspectExec
	listNetworks
	inspectNetwork
	listServices
)

// ask is one request, taken apart. What goes to the engine is put together from
// these parts; nothing is passed on as it came.
type ask struct {
	kind    kind
	version string // "/v1.45", or "" when the client named none
	id      string // of the container, network or exec
	query   url.Values
}

// Bounds on what a client sends.
const (
	maxRequestPath  = 256
	maxRequestQuery = 4096
	maxFilterValues = 64
)

var (
	versionForm = regexp.MustCompile(`^v1\.[0-9]{1,3}$`)
	// nameForm is the engine's own grammar for names, which ids fit as well.
	nameForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	timeForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)
	wordForm = regexp.MustCompile(`^[a-z_]{1,32}$`)
)

var errNotAllowed = errors.New("it is not on the list of what this proxy lets through")

var errNoExec = errors.New("it starts no commands in containers: set MCP_GW_ALLOW_EXEC=true on docker-proxy, as on the gateway")

// parse takes a request line apart. target is the request target exactly as the
// client wrote it. exec says whether commands may be started. An error means that the
// request is refused, and says why.
func parse(method, target string, exec bool) (ask, error) {
	path, rawQuery, _ := strings.Cut(target, "?")
	if len(path) > maxRequestPath || len(rawQuery) > maxRequestQuery {
		return ask{}, errors.New("it is too long")
	}
	segments, err := split(path)
	if err != nil {
		return ask{}, err
	}
	var a ask
	if versionForm.MatchString(segments[0]) {
		a.version = "/" + segments[0]
		segments = segments[1:]
	}
	if a.kind, a.id, err = find(method, segments); err != nil {
		return ask{}, err
	}
	if a.kind.ofExec() && !exec {
		return ask{}, errNoExec
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return ask{}, errors.New("its query cannot be read")
	}
	if a.query, err = a.kind.check(query); err != nil {
		return ask{}, err
	}
	return a, nil
}

// split accepts the plainest form of a path only. An escape, a dot segment, a
// doubled or trailing slash is never needed for what is allowed, and two readers
// of it may disagree.
func split(path string) ([]string, error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, errors.New("its target is not a path")
	}
	segments := strings.Split(rest, "/")
	for _, s := range segments {
		if s != "_ping" && !nameForm.MatchString(s) {
			return nil, errors.New("its path is not in plain form")
		}
	}
	return segments, nil
}

// find is the allowlist: one line for each method and path.
func find(method string, s []string) (kind, string, error) {
	get := method == http.MethodGet
	switch {
	case len(s) == 1 && s[0] == "_ping" && (get || method == http.MethodHead):
		return ping, "", nil
	case len(s) == 1 && s[0] == "version" && get:
		return version, "", nil
	case len(s) == 1 && s[0] == "info" && get:
		return info, "", nil
	case len(s) == 1 && s[0] == "events" && get:
		return events, "", nil
	case len(s) == 2 && s[0] == "containers" && s[1] == "json" && get:
		return listContainers, "", nil
	case len(s) == 3 && s[0] == "containers" && s[2] == "json" && get:
		return inspectContainer, s[1], nil
	case len(s) == 3 && s[0] == "containers" && s[2] == "attach" && method == http.MethodPost:
		return attachContainer, s[1], nil
	case len(s) == 3 && s[0] == "containers" && s[2] == "exec" && method == http.MethodPost:
		return createExec, s[1], nil
	case len(s) == 3 && s[0] == "exec" && s[2] == "start" && method == http.MethodPost:
		return startExec, s[1], nil
	case len(s) == 3 && s[0] == "exec" && s[2] == "json" && get:
		return inspectExec, s[1], nil
	case len(s) == 1 && s[0] == "networks" && get:
		return listNetworks, "", nil
	case len(s) == 2 && s[0] == "networks" && get && s[1] != "create" && s[1] != "prune":
		return inspectNetwork, s[1], nil
	case len(s) == 1 && s[0] == "services" && get:
		return listServices, "", nil
	}
	return 0, "", errNotAllowed
}

func (k kind) ofExec() bool { return k == createExec || k == startExec || k == inspectExec }

// check returns the query that goes to the engine. A key that is not known is
// refused rather than dropped: the answer would be to another question.
func (k kind) check(in url.Values) (url.Values, error) {
	out := url.Values{}
	for key, values := range in {
		if len(values) != 1 {
			return nil, fmt.Errorf("it sets %q more than once", key)
		}
		value := values[0]
		switch {
		case k == listContainers && key == "all", k == attachContainer && slices.Contains([]string{"stream", "stdin", "stdout", "stderr"}, key):
			if !slices.Contains([]string{"0", "1", "false", "true"}, value) {
				return nil, fmt.Errorf("%s is neither true nor false", key)
			}
			out.Set(key, value)
		case k == events && (key == "since" || key == "until"):
			if !timeForm.MatchString(value) {
				return nil, fmt.Errorf("%s is not a time in seconds", key)
			}
			out.Set(key, value)
		case key == "filters" && (k == events || k == listNetworks):
			f, err := readFilters(value)
			if err != nil {
				return nil, err
			}
			if err := k.checkFilters(f); err != nil {
				return nil, err
			}
			out.Set(key, f.encode())
		default:
			return nil, fmt.Errorf("its query has %q", key)
		}
	}
	if k == events {
		// The kinds that are left out of the answer anyway stay with the engine.
		f, _ := readFilters(out.Get("filters"))
		if len(f["type"]) == 0 {
			f["type"] = slices.Clone(eventTypes)
		}
		out.Set("filters", f.encode())
	}
	return out, nil
}

// eventTypes are the kinds of events that anything is told of.
var eventTypes = []string{"container", "daemon", "network"}

func (k kind) checkFilters(f filterArgs) error {
	for key, values := range f {
		for _, v := range values {
			switch {
			case k == events && key == "type" && slices.Contains(eventTypes, v):
			case k == events && key == "event" && wordForm.MatchString(v):
			case k == listNetworks && key == "name" && nameForm.MatchString(v):
			default:
				return fmt.Errorf("it filters for %q=%q", key, v)
			}
		}
	}
	return nil
}

// filterArgs are the engine's filters: for each key the values of which one must fit.
type filterArgs map[string][]string

// readFilters understands both spellings: {"type":{"network":true}} and the
// older {"type":["network"]}.
func readFilters(s string) (filterArgs, error) {
	f := filterArgs{}
	if s == "" {
		return f, nil
	}
	bad := errors.New("its filters cannot be read")
	var sets map[string]map[string]bool
	var lists map[string][]string
	if err := json.Unmarshal([]byte(s), &sets); err == nil {
		for key, set := range sets {
			for v, on := range set {
				if !on {
					return nil, bad
				}
				f[key] = append(f[key], v)
			}
		}
	} else if err := json.Unmarshal([]byte(s), &lists); err == nil {
		f = lists
	} else {
		return nil, bad
	}
	if f == nil {
		return filterArgs{}, nil // null
	}
	n := 0
	for key, values := range f {
		slices.Sort(values)
		if n += len(values); len(values) == 0 || n > maxFilterValues {
			return nil, fmt.Errorf("it filters for too many or no values of %q", key)
		}
	}
	return f, nil
}

// encode writes the spelling that every engine of API 1.22 and later reads.
func (f filterArgs) encode() string {
	sets := map[string]map[string]bool{}
	for key, values := range f {
		sets[key] = map[string]bool{}
		for _, v := range values {
			sets[key][v] = true
		}
	}
	b, _ := json.Marshal(sets) // of strings and booleans, cannot fail
	return string(b)
}
