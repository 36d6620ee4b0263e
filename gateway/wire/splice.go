package wire

// Edit replaces the bytes of Span by New; an empty Span at a place inserts.
type Edit struct {
	Span
	New []byte
}

// Splice appends src to dst with the edits made. They may come in any order, for
// it is the sender of a message who chooses where its members stand, and Splice
// may leave them in another; they must not overlap.
func Splice(dst, src []byte, edits ...Edit) []byte {
	for i := 1; i < len(edits); i++ {
		for j := i; j > 0 && edits[j].before(edits[j-1]); j-- {
			edits[j], edits[j-1] = edits[j-1], edits[j]
		}
	}
	at := 0
	for _, e := range edits {
		dst = append(dst, src[at:e.Start]...)
		dst = append(dst, e.New...)
		at = e.End
	}
	return append(dst, src[at:]...)
}

// before puts an insertion in front of a replacement at the same place.
func (e Edit) before(o Edit) bool {
	return e.Start < o.Start || e.Start == o.Start && e.End < o.End
}

// Insert answers the edit that makes member (`"name":value`) the first one of
// the object at obj in b; a value that is no object, such as null, becomes one.
// obj must be present. Several members for one object go into one Insert, joined
// by commas: a second one could not know of the first.
func Insert(b []byte, obj Span, member []byte) Edit {
	if b[obj.Start] != '{' {
		return Edit{obj, append(append(append(make([]byte, 0, len(member)+2), '{'), member...), '}')}
	}
	at := obj.Start + 1
	s := scanner{b: b, i: at}
	s.space()
	if s.i < len(b) && b[s.i] == '}' {
		return Edit{Span{at, at}, member}
	}
	return Edit{Span{at, at}, append(append(make([]byte, 0, len(member)+1), member...), ',')}
}

// WithoutHop answers the object raw (a _meta) without the members that belong to
// one hop in 2026-07-28, and raw itself when it is no object. Other members below
// io.modelcontextprotocol/, such as related-task, are for whom they reach.
func WithoutHop(raw []byte) []byte {
	return without(raw, func(key []byte) bool {
		switch string(key) {
		case metaVersion, metaClientInfo, metaCapabilities, metaLogLevel, metaSubscription:
			return true
		}
		return false
	})
}

// WithoutMember answers the object raw without the member name, and raw itself
// when it has none.
func WithoutMember(raw []byte, name string) []byte {
	if Member(raw, name) == nil {
		return raw
	}
	return without(raw, func(key []byte) bool { return string(key) == name })
}

func without(raw []byte, drop func(key []byte) bool) []byte {
	out := append(make([]byte, 0, len(raw)+1), '{')
	s := scanner{b: raw}
	s.space()
	if err := s.object(func(key []byte) error {
		start := s.keyAt
		v, err := s.value()
		if err != nil || drop(key) {
			return err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, raw[start:v.End]...)
		return nil
	}); err != nil {
		return raw
	}
	return append(out, '}')
}
