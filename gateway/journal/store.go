package journal

// chunk is the piece in which a store takes its memory.
const chunk = 256 << 10

// store keeps the bytes of messages in a fixed amount of memory, the newest over the
// oldest. It takes its memory as it is needed, and makes no garbage.
type store struct {
	chunks [][]byte
	size   uint64 // of all chunks, when they are there
	head   uint64 // where the next byte goes, counted from the first one ever
}

// span is where bytes lie in a store. Those of length 0 are nowhere.
type span struct {
	at     uint64
	n      int
	masked bool // no secret stands there
}

func newStore(size int) store {
	n := max(1, (size+chunk-1)/chunk)
	return store{chunks: make([][]byte, n), size: uint64(n) * chunk}
}

// put copies b, which must be smaller than the store.
func (s *store) put(b []byte) span {
	at := span{at: s.head, n: len(b)}
	for len(b) > 0 {
		i := s.head % s.size
		c := &s.chunks[i/chunk]
		if *c == nil {
			*c = make([]byte, chunk)
		}
		n := copy((*c)[i%chunk:], b)
		b = b[n:]
		s.head += uint64(n)
	}
	return at
}

// get answers a copy of what lies at p, and false when something newer lies there now.
func (s *store) get(p span) ([]byte, bool) {
	if p.n == 0 {
		return nil, true
	}
	if s.head-p.at > s.size {
		return nil, false
	}
	out := make([]byte, 0, p.n)
	for at := p.at; len(out) < p.n; {
		i := at % s.size
		part := s.chunks[i/chunk][i%chunk:]
		part = part[:min(len(part), p.n-len(out))]
		out = append(out, part...)
		at += uint64(len(part))
	}
	return out, true
}

// wipe clears what lies at p, unless something newer lies there now.
func (s *store) wipe(p span) {
	if s.head-p.at > s.size {
		return
	}
	for n, at := p.n, p.at; n > 0; {
		i := at % s.size
		part := s.chunks[i/chunk][i%chunk:]
		part = part[:min(len(part), n)]
		clear(part)
		n -= len(part)
		at += uint64(len(part))
	}
}
