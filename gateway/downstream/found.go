package downstream

import "sync"

// maxFound bounds the URIs that are remembered.
const maxFound = 4096

// found remembers which backend had a resource that none of them lists.
type found struct {
	mu    sync.Mutex // guards owner
	owner map[[2]string]string
}

func (f *found) get(scope, uri string) (backend string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	backend, ok = f.owner[[2]string{scope, uri}]
	return backend, ok
}

func (f *found) put(scope, uri, backend string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.owner == nil || len(f.owner) >= maxFound { // asking again costs little
		f.owner = map[[2]string]string{}
	}
	f.owner[[2]string{scope, uri}] = backend
}
