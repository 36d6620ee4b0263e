package catalog

// Hint is what a modern backend says of how long, and for whom, its list may be
// kept.
type Hint struct {
	TTL     int64 // milliseconds
	Private bool  // for the one who asked, and nobody else
	Known   bool  // false of a legacy backend, which says nothing
}

// join answers the hint of a list that is made of the sources' lists: it is good
// as long as each of them is, and nobody's unless all are everybody's. One that
// nothing is known of may change at once.
func join(sources []Source, k Kind) (h Hint) {
	for i, src := range sources {
		own := src.Hints[k]
		own.Known = own.Known && !src.Legacy
		if !own.Known || own.TTL < 0 {
			own.TTL = 0
		}
		if i == 0 {
			h = own
			continue
		}
		h = Hint{TTL: min(h.TTL, own.TTL), Private: h.Private || own.Private, Known: h.Known && own.Known}
	}
	return h
}
