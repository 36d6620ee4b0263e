package manual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
)

const (
	// settle is how long after a change the file is read: an editor truncates
	// and writes, or moves one file away and another in, and between the two
	// the file is empty or absent.
	settle = 200 * time.Millisecond
	// poll is how often the file is read without a reason. Some changes make no
	// event: a file mounted by itself, network file systems, a link's target.
	poll = 5 * time.Second
)

var errEnded = errors.New("the gateway is shutting down")

// store is one file of what people decided. The goroutine of run owns the file; all
// other methods may be called from any goroutine.
type store[D any] struct {
	format[D]
	path     string
	log      *slog.Logger
	requests chan request[D] // unbuffered, to run
	ended    chan struct{}   // closed when run returns
	view     atomic.Pointer[view[D]]
}

// format is how a kind of file is read and written, and what is said of it.
type format[D any] struct {
	// name is what people call the file.
	name string
	// parse reads it. Its error means that all of it cannot be understood.
	parse func(data []byte) (D, error)
	bytes func(D) []byte
	// problems are remarks on single entries.
	problems func(D) []string
	// standing says what holds while the file is broken, and in sentences what to do;
	// last is what was understood.
	standing func(last D) (so, mend string)
	// shrink is what helps when the file has become too large.
	shrink string
}

// replaced is what to do about a broken file that the next change replaces.
func replaced(change, path string) string {
	return fmt.Sprintf("Mend it, or %s: then it is kept as %s.broken-<time>, and a new one is written.", change, filepath.Base(path))
}

// view is what others see of the owner's state. It is replaced, never changed.
type view[D any] struct {
	doc      D
	problems []string
}

// request is a change of the file, made by run's goroutine.
type request[D any] struct {
	change func(D) (D, error)
	done   chan error // capacity 1
}

func newStore[D any](path string, log *slog.Logger, f format[D]) *store[D] {
	s := &store[D]{format: f, path: filepath.Clean(path), log: log, requests: make(chan request[D]), ended: make(chan struct{})}
	s.view.Store(&view[D]{})
	return s
}

// Problems are sentences on what is wrong with the file, none when nothing is.
func (s *store[D]) Problems() []string { return slices.Clone(s.view.Load().problems) }

// Path is where the file is.
func (s *store[D]) Path() string { return s.path }

// errUnchanged is how a change says that there is nothing to save.
var errUnchanged = errors.New("unchanged")

func (s *store[D]) request(ctx context.Context, change func(D) (D, error)) error {
	r := request[D]{change: change, done: make(chan error, 1)}
	select {
	case s.requests <- r:
	case <-s.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// From here on it will be done, whoever waits: an answer must not say
	// otherwise because its reader has gone.
	if err := <-r.done; !errors.Is(err, errUnchanged) {
		return err
	}
	return nil
}

// owner is the state of run's goroutine.
type owner[D any] struct {
	*store[D]
	put     func(D) // told of each document that stands
	data    []byte  // the file as it was when last read or written
	doc     D       // what it said, when it last could be understood
	read    bool    // doc is what the file said, once at least
	broken  error   // why it cannot be understood now
	inPlace bool    // said once already
	// emptied is when the file was first seen to have become empty, or to be gone; zero
	// once that is believed or over.
	emptied time.Time
}

// run keeps the file until ctx ends. It may be called once.
func (o *owner[D]) run(ctx context.Context) {
	defer close(o.ended)
	changes := newChanges(o.path, o.name, o.log)
	defer changes.close()
	// A change between the first reading and the first event is seen here.
	changed := time.NewTimer(settle)
	defer changed.Stop()
	tick := time.NewTimer(discovery.UntilBeat(time.Now(), poll))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-o.requests:
			r.done <- o.apply(r.change)
			changes.ensure()
		case <-changes.events():
			changed.Reset(settle)
		case <-changed.C:
			o.reload()
		case <-tick.C:
			tick.Reset(discovery.UntilBeat(time.Now(), poll))
			changes.ensure()
			o.reload()
		}
		if !o.emptied.IsZero() {
			changed.Reset(settle) // the second look
		}
	}
}

// reload reads the file, and puts the document when it has changed.
func (o *owner[D]) reload() {
	if o.load() {
		o.put(o.doc)
	}
}

// load reads the file into doc and broken. It reports whether doc has changed: a
// broken file says nothing, so that the last document stands. Nor does one that has just
// become empty: an editor may be about to write it. It is believed once settle has passed.
func (o *owner[D]) load() bool {
	data, err := readFile(o.path)
	if err == nil && empty(data) && !empty(o.data) {
		if o.emptied.IsZero() {
			o.emptied = time.Now()
		}
		if time.Since(o.emptied) < settle {
			return false
		}
	}
	o.emptied = time.Time{}
	if err == nil && o.read && o.broken == nil && bytes.Equal(data, o.data) {
		return false
	}
	var doc D
	if err == nil {
		doc, err = o.parse(data)
	}
	wasBroken := o.broken
	o.broken = err
	if err != nil {
		if wasBroken == nil || wasBroken.Error() != err.Error() {
			o.publish()
			so, _ := o.standing(o.doc)
			o.log.Error(o.name+" cannot be used", "path", o.path, "err", err, "meanwhile", so)
		}
		return false
	}
	o.data, o.doc, o.read = data, doc, true
	o.publish()
	for _, problem := range o.problems(doc) {
		o.log.Warn(o.name+" has a wrong entry", "path", o.path, "problem", problem)
	}
	if wasBroken != nil {
		o.log.Info(o.name+" is in order again", "path", o.path)
	}
	return true
}

func empty(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }

// apply makes a change to the file as it is now, hand edits of this very moment
// included. It waits for one that seems to be under way.
func (o *owner[D]) apply(change func(D) (D, error)) error {
	o.reload()
	if !o.emptied.IsZero() {
		time.Sleep(settle)
		o.reload()
	}
	changed, err := change(o.doc)
	if err != nil {
		return err
	}
	data := o.bytes(changed)
	if len(data) > maxFile {
		return invalid("", "the %s would have %d bytes, and may have %d: %s", o.name, len(data), maxFile, o.shrink)
	}
	// What is served is what a restart would read.
	doc, err := o.parse(data)
	if err != nil {
		return fmt.Errorf("nothing was changed, because %s would be wrong: %w", o.path, err)
	}
	if o.broken != nil {
		kept, err := keepBroken(o.path, time.Now())
		if err != nil {
			return fmt.Errorf("%s cannot be used (%w), and cannot be copied before it is replaced: %w", o.path, o.broken, err)
		}
		o.log.Warn("broken "+o.name+" kept", "path", kept, "err", o.broken)
	}
	inPlace, err := writeFile(o.path, data)
	if err != nil {
		return fmt.Errorf("nothing was changed, because %s cannot be saved: %w", o.path, err)
	}
	if inPlace && !o.inPlace {
		o.inPlace = true
		o.log.Warn(o.name+" cannot be replaced, only overwritten: a crash meanwhile would leave half of it; mount its directory instead of the file", "path", o.path)
	}
	o.data, o.doc, o.read, o.broken = data, doc, true, nil
	o.publish()
	o.put(doc)
	return nil
}

func (o *owner[D]) publish() {
	v := &view[D]{doc: o.doc}
	if o.broken == nil {
		for _, problem := range o.problems(o.doc) {
			v.problems = append(v.problems, o.path+": "+problem)
		}
	} else {
		so, mend := o.standing(o.doc)
		v.problems = []string{fmt.Sprintf("%s cannot be used: %v. It is left as it is, and %s. %s", o.path, o.broken, so, mend)}
	}
	o.view.Store(v)
}
