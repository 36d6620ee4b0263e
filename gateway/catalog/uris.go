package catalog

import (
	"cmp"
	"slices"
)

// uris is what a snapshot knows of URIs: whose each is, and how those are written
// that several backends have.
type uris struct {
	plain     bool             // nothing is rewritten
	resources map[string]owner // by URI
	templates map[string]owner // by their text
	byCode    map[string]*Rewriter
	matching  []template // all that can match, the most specific first
}

// owner says which backends have a URI, sorted by name.
type owner struct {
	first  string
	others []string
}

func (o *owner) has(backend string) bool {
	if o.first == backend {
		return true
	}
	_, found := slices.BinarySearch(o.others, backend)
	return found
}

// gather reads the URIs of sources that are sorted by backend name. The URIs of
// apps that tools name count like those in the lists: a host reads them, and they
// must reach the tool's own backend, listed or not.
func gather(sources []Source, plain bool) *uris {
	u := &uris{plain: plain, resources: map[string]owner{}, templates: map[string]owner{}, byCode: make(map[string]*Rewriter, len(sources))}
	rewriters := make([]Rewriter, len(sources))
	shared := false
	for i, src := range sources {
		r := u.byCode[code(src.Backend)]
		if r == nil {
			r = &rewriters[i]
			r.uris, r.backend = u, src.Backend
			u.byCode[code(src.Backend)] = r
		}
		for _, item := range src.Items[Resources] {
			shared = own(u.resources, item.Name, src.Backend) || shared
		}
		for _, item := range src.Items[Tools] {
			appURIs(item.Raw, func(uri appURI) {
				shared = own(u.resources, uri.text, src.Backend) || shared
			})
		}
		for _, item := range src.Items[Templates] {
			shared = own(u.templates, item.Name, src.Backend) || shared
			if t, ok := compile(src.Backend, item.Name); ok {
				r.own = append(r.own, t)
				u.matching = append(u.matching, t)
			}
		}
	}
	slices.SortFunc(u.matching, func(a, b template) int {
		return cmp.Or(cmp.Compare(b.literals, a.literals), cmp.Compare(a.backend, b.backend), cmp.Compare(a.text, b.text))
	})
	if shared && !plain {
		u.rewrite()
	}
	return u
}

// own enters a backend among those that have a URI, and answers whether it is one
// of several.
func own(owners map[string]owner, uri, backend string) (shared bool) {
	o, known := owners[uri]
	switch {
	case !known:
		owners[uri] = owner{first: backend}
		return false
	case !o.has(backend):
		o.others = append(o.others, backend)
		owners[uri] = o
	}
	return len(o.others) > 0
}

// rewrite gives every URI that several backends have a form for each of them. All
// of them get one: the first would lose its plain URI when another came before it.
func (u *uris) rewrite() {
	for _, owners := range []map[string]owner{u.resources, u.templates} {
		for uri, o := range owners {
			if len(o.others) == 0 {
				continue
			}
			u.share(o.first, uri)
			for _, backend := range o.others {
				u.share(backend, uri)
			}
		}
	}
	taken := u.taken()
	for code, r := range u.byCode {
		if r.rewritten == nil {
			continue
		}
		for f := range forms {
			n := 1
			for taken[place{r, f, n}] {
				n++
			}
			r.fronts[f] = front(f, code, n)
		}
		for uri := range r.rewritten {
			r.rewritten[uri] = r.write(uri)
		}
		for _, t := range r.own {
			if _, ok := r.rewritten[t.text]; ok {
				r.shared = append(r.shared, t)
			}
		}
	}
}

func (u *uris) share(backend, uri string) {
	r := u.byCode[code(backend)]
	if r.rewritten == nil {
		r.rewritten = map[string]string{}
	}
	r.rewritten[uri] = ""
}

// place is the nth of a backend's forms.
type place struct {
	backend *Rewriter
	form    form
	n       int
}

// maxDoubted is how long a URI that looks like one of the gateway's forms may be
// to be looked into: a list full of longer ones would be dear to match.
const maxDoubted = 256

// taken answers the forms that would make a URI that is listed already, by
// whomever: it could not be told from that one.
func (u *uris) taken() map[place]bool {
	taken := map[place]bool{}
	for _, owners := range []map[string]owner{u.resources, u.templates} {
		for uri := range owners {
			w, ok := read(uri)
			if !ok {
				continue
			}
			r := u.byCode[w.code]
			if r != nil && r.rewritten != nil && (len(uri) > maxDoubted || r.knows(w.uri)) {
				taken[place{r, w.form, w.n}] = true
			}
		}
	}
	return taken
}

// lists reports whether the backend lists the URI or template.
func (u *uris) lists(backend, uri string) bool {
	if o, ok := u.resources[uri]; ok && o.has(backend) {
		return true
	}
	o, ok := u.templates[uri]
	return ok && o.has(backend)
}

func (u *uris) rewriter(backend string) *Rewriter {
	if r := u.byCode[code(backend)]; r != nil && r.rewritten != nil {
		return r
	}
	return nil
}
