package catalog

import "strings"

// A Rewriter knows how the URIs of one backend are changed on their way to
// clients. A nil one changes none.
type Rewriter struct {
	uris      *uris
	backend   string
	rewritten map[string]string // what it shares with others, as clients see it
	fronts    [forms]string
	own       []template // its templates
	shared    []template // those of them that are rewritten
}

// Rewrites answers how the URIs of a backend are changed on their way to clients,
// nil when none is: the common case, which costs nothing.
func (s *Snapshot) Rewrites(backend string) *Rewriter { return s.uris.rewriter(backend) }

// Expose answers the URI that clients are shown for the backend's own, and false
// when it is the same. A URI that is in no list is rewritten when it matches a
// template that is, for clients make the same one out of the template.
func (r *Rewriter) Expose(uri string) (string, bool) {
	if exposed, ok := r.listed(uri); ok {
		return exposed, true
	}
	if r == nil || !matchAny(r.shared, uri) || r.uris.lists(r.backend, uri) {
		return uri, false
	}
	return r.write(uri), true
}

// listed is Expose for what the backend lists.
func (r *Rewriter) listed(uri string) (string, bool) {
	if r != nil {
		if exposed, ok := r.rewritten[uri]; ok {
			return exposed, true
		}
	}
	return uri, false
}

func (r *Rewriter) write(uri string) string {
	f := formOf(uri)
	if f == byHost {
		uri = strings.TrimPrefix(uri, appPrefix)
	}
	return r.fronts[f] + uri
}

// knows reports whether the backend lists uri, or a template that makes it.
func (r *Rewriter) knows(uri string) bool {
	return r.uris.lists(r.backend, uri) || matchAny(r.own, uri)
}

func matchAny(templates []template, uri string) bool {
	for i := range templates {
		if templates[i].match(uri) {
			return true
		}
	}
	return false
}
