package manual

import (
	"log/slog"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// changes watches the directory of a file, because the file itself is replaced
// by editors and by ourselves. Where that cannot be done, polling remains.
type changes struct {
	dir, base string
	watcher   *fsnotify.Watcher // nil when the system gives none
	bell      chan struct{}     // capacity 1: a doorbell, not a queue
	done      chan struct{}     // closed when the goroutine has ended
}

func newChanges(path, name string, log *slog.Logger) *changes {
	c := &changes{
		dir:  filepath.Dir(path),
		base: filepath.Base(path),
		bell: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		log.Debug(name+" is polled only", "path", path, "err", err)
		close(c.done)
		return c
	}
	c.watcher = w
	c.ensure()
	go c.run()
	return c
}

// ensure begins to watch when that was not possible before: the directory may be
// made later, or be replaced.
func (c *changes) ensure() {
	if c.watcher == nil || len(c.watcher.WatchList()) > 0 {
		return
	}
	_ = c.watcher.Add(c.dir) // the next poll tries again
}

// events has a value when the file may have changed.
func (c *changes) events() <-chan struct{} { return c.bell }

func (c *changes) run() {
	defer close(c.done)
	for {
		select {
		case e, ok := <-c.watcher.Events:
			if !ok {
				return
			}
			if filepath.Base(e.Name) != c.base || e.Op == fsnotify.Chmod {
				continue
			}
		case _, ok := <-c.watcher.Errors:
			if !ok {
				return
			}
			// Most likely events were lost: read the file to be sure.
		}
		select {
		case c.bell <- struct{}{}:
		default: // rung already
		}
	}
}

func (c *changes) close() {
	if c.watcher != nil {
		_ = c.watcher.Close() // ends run
	}
	<-c.done
}
