package pool

import "mcp-gw/gateway/journal"

// recorder names the replica in what is noted for people, where there are several.
type recorder struct {
	pool *Pool
	*replica
}

func (r recorder) Backend(level journal.Level, backend, message string) {
	if name := r.pool.set.Load().called(r.replica); name != "" {
		message = name + ": " + message
	}
	r.pool.cfg.Record.Backend(level, backend, message)
}
