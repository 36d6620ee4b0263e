package catalog

import (
	"encoding/base64"
	"fmt"
)

// PageSize is how many items a page of a list has at most. One page serves nearly
// everybody, and the TypeScript SDK stops after 64.
const PageSize = 1000

// maxCursor bounds what is decoded: an exposed URI is little longer than MaxID.
const maxCursor = 2 * MaxID

// Page answers one page of the list of a kind: its items, joined by commas, and
// the cursor of the next page, empty when there is none. The bytes are the
// snapshot's own. The empty cursor is that of the first page.
//
// A cursor names the last item of the page before, so that it stays good when the
// catalogue changes between two pages; it fails only when that very item is gone.
func (s *Snapshot) Page(k Kind, cursor string, modern bool) (items []byte, next string, err error) {
	l := &s.lists[k]
	r := &l.legacy
	if modern {
		r = &l.modern
	}
	from := 0
	if cursor != "" {
		last, ok := l.behind(cursor)
		if !ok {
			return nil, "", fmt.Errorf("cursor %.80q is not of this list, or its %s is gone: list again from the start", cursor, kinds[k].one)
		}
		from = last + 1
	}
	to := min(from+PageSize, len(l.entries))
	if from < to {
		start := 0
		if from > 0 {
			start = r.ends[from-1] + 1
		}
		items = r.bytes[start:r.ends[to-1]]
	}
	if to < len(l.entries) {
		next = base64.RawURLEncoding.EncodeToString([]byte(l.entries[to-1].Exposed))
	}
	return items, next, nil
}

// behind answers which item a cursor names.
func (l *list) behind(cursor string) (int, bool) {
	if len(cursor) > maxCursor {
		return 0, false
	}
	name, err := base64.RawURLEncoding.DecodeString(cursor)
	i, ok := l.byName[string(name)]
	return i, ok && i >= 0 && err == nil
}
