package fleet

import "bytes"

// catalog is a list of encoded tools, one by one and as a JSON array.
type catalog struct {
	tools [][]byte
	all   []byte
}

func (s *server) catalog(n int) *catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.catalogs[n]
	if !ok {
		c = new(catalog)
		for i := range max(0, min(n, 100_000)) {
			c.tools = append(c.tools, tool(i))
		}
		c.all = join(c.tools)
		s.catalogs[n] = c
	}
	return c
}

func join(tools [][]byte) []byte {
	return append(append([]byte{'['}, bytes.Join(tools, []byte{','})...), ']')
}
