package catalog

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"strconv"

	"mcp-gw/gateway/wire"
)

// list is all that there is of one kind, and how it is rendered for the clients
// of either era.
type list struct {
	entries []Entry
	off     []Entry
	doubles []Entry
	byName  map[string]int // the index in entries, or off: -1 is the first of these
	legacy  rendered
	modern  rendered // shares the bytes of legacy while the two are equal
	hint    Hint
	hash    uint64
	// framedModern is the era that the frame in hint is of.
	framedModern bool
}

// rendered holds rendered items, joined by commas, and where each one ends.
type rendered struct {
	bytes []byte
	ends  []int
}

// The seeds make hashes that a backend cannot foresee, and so cannot make collide.
var seed, modernSeed = maphash.MakeSeed(), maphash.MakeSeed()

func (l *list) build(k Kind, sources []Source, o Options, u *uris) {
	items, size := 0, 0
	for _, src := range sources {
		items += len(src.Items[k])
		for _, item := range src.Items[k] {
			size += len(item.Raw) + MaxName
		}
	}
	l.hint = join(sources, k)
	if o.Plain && len(sources) == 1 {
		l.framedModern = !sources[0].Legacy
	} else {
		l.hint.Frame = Frame{}
	}
	l.hash = maphash.Comparable(seed, l.hint)
	if items == 0 {
		return
	}
	l.entries, l.byName = make([]Entry, 0, items), make(map[string]int, items)
	l.legacy = rendered{make([]byte, 0, size), make([]int, 0, items)}
	differ := false
	var edits []wire.Edit
	for _, src := range sources {
		r := u.rewriter(src.Backend)
		for _, item := range src.Items[k] {
			exposed, ok := l.enter(k, &src, item, o.Plain, r)
			if !ok {
				continue
			}
			raw := item.Raw
			if k == Tools && o.Describe != nil {
				raw = o.Describe(src.Backend, raw)
			}
			edits = edits[:0]
			if exposed != item.Name { // by its own name a call goes out, by this one it came in
				edits = rename(edits, raw, kinds[k].id, exposed)
			}
			if k == Tools && r != nil {
				edits = r.appEdits(edits, raw)
			}
			raw = l.legacy.add(raw, edits)
			plain := raw
			if k == Tools && src.Legacy {
				plain = wire.WithoutMember(raw, "execution")
			}
			if !differ && len(plain) != len(raw) { // most often one rendering serves both
				differ = true
				l.modern = l.legacy.without(size, items)
			}
			if differ {
				l.modern.add(plain, nil)
			}
		}
	}
	l.hash ^= maphash.Bytes(seed, l.legacy.bytes)
	if !differ {
		l.modern = l.legacy
	} else { // a backend that changes its era may change this list alone
		l.hash ^= maphash.Bytes(modernSeed, l.modern.bytes)
	}
}

// enter makes an entry of an item, under a name that no other has, unless its own
// backend lists it twice: a call could reach only one of the two. It answers false for
// what is not to be listed.
func (l *list) enter(k Kind, src *Source, item Item, plain bool, r *Rewriter) (exposed string, ok bool) {
	if plain || k.uris() {
		if exposed = src.listed(k, item.Name); k.uris() {
			exposed, _ = r.listed(item.Name)
		}
		_, taken := l.byName[exposed]
		ok = !taken
	} else {
		exposed, ok = l.claim(src, item.Name, src.listed(k, item.Name))
	}
	entry := Entry{Exposed: exposed, Backend: src.Backend, Item: item}
	switch {
	case !ok:
		if k == Tools {
			entry.Exposed = l.double(src, item.Name, plain)
			l.doubles = append(l.doubles, entry)
		}
	case k == Tools && src.Off[item.Name]:
		l.off = append(l.off, entry)
		l.byName[exposed] = -len(l.off)
		return "", false
	default:
		l.byName[exposed] = len(l.entries)
		l.entries = append(l.entries, entry)
	}
	return exposed, ok
}

// double answers what people may call a tool that its backend lists again: no client
// knows that name.
func (l *list) double(src *Source, name string, plain bool) string {
	exposed := src.listed(Tools, name)
	if !plain {
		exposed = expose(src.prefix(), src.Backend, name, exposed)
	}
	n := 2
	for _, d := range l.doubles {
		if d.Backend == src.Backend && d.Name == name {
			n++
		}
	}
	return exposed + "#" + strconv.Itoa(n)
}

// at answers the entry that byName has as i.
func (l *list) at(i int) *Entry {
	if i < 0 {
		return &l.off[-1-i]
	}
	return &l.entries[i]
}

// add appends an item with the edits made, and answers how it stands there.
func (r *rendered) add(raw []byte, edits []wire.Edit) []byte {
	if len(r.ends) > 0 {
		r.bytes = append(r.bytes, ',')
	}
	start := len(r.bytes)
	r.bytes = wire.Splice(r.bytes, raw, edits...)
	r.ends = append(r.ends, len(r.bytes))
	return r.bytes[start:]
}

// without answers a copy that lacks the last item, with room for as much as r.
func (r *rendered) without(size, items int) rendered {
	ends := append(make([]int, 0, items), r.ends[:len(r.ends)-1]...)
	end := 0
	if len(ends) > 0 {
		end = ends[len(ends)-1]
	}
	return rendered{append(make([]byte, 0, size), r.bytes[:end]...), ends}
}

// rename appends what replaces the value of one member of the object, and nothing
// else.
func rename(edits []wire.Edit, raw []byte, member, exposed string) []wire.Edit {
	if old := wire.Find(raw, member); old.Present() {
		edits = append(edits, wire.Edit{Span: old, New: quote(exposed)})
	}
	return edits
}

// quote writes a JSON string as people would: what only HTML minds stays as it is.
func quote(text string) []byte {
	for i := range len(text) {
		if !legal(text[i]) {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			_ = e.Encode(text) // a string and a buffer do not fail
			return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
		}
	}
	return append(append(append(make([]byte, 0, len(text)+2), '"'), text...), '"')
}
