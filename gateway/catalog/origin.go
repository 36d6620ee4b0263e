package catalog

// Origin finds whose a URI is that a client sent, and how its backend knows it:
// a listed one; one that was written for a backend of this snapshot, whether or
// not it would be today; or one that a template makes, of several the template
// with the most literal bytes, then the first by backend and text.
//
// A URI that several backends list is the first one's by name when it comes as
// they list it: clients may know it from the time when one backend had it.
func (s *Snapshot) Origin(exposed string) (backend, uri string, ok bool) {
	u := s.uris
	if o, ok := u.resources[exposed]; ok {
		return o.first, exposed, true
	}
	if o, ok := u.templates[exposed]; ok {
		return o.first, exposed, true
	}
	var r *Rewriter
	w, ok := read(exposed)
	if ok && !u.plain {
		r = u.byCode[w.code]
	}
	if r != nil && r.knows(w.uri) {
		return r.backend, w.uri, true
	}
	for i := range u.matching {
		if t := &u.matching[i]; t.match(exposed) {
			return t.backend, exposed, true
		}
	}
	// What is in no list may be readable all the same. Of an app this says nothing:
	// ui://x/y may be x's app y as well as anybody's.
	if r != nil && w.form == byScheme && absolute(w.uri) {
		return r.backend, w.uri, true
	}
	return "", "", false
}
