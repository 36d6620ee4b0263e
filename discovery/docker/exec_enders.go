package docker

import (
	"context"
	"sync"
)

// enders run ender in containers: in each one at a time, for as many commands as wait
// for it. Each run looks at all processes of its container, so that a hundred sessions
// that end together must not be a hundred runs at once.
type enders struct {
	mu sync.Mutex // guards queues
	// queues are by container; one goes when nobody waits.
	queues map[string]*enderQueue
}

type enderQueue struct {
	users int           // guarded by enders.mu
	slot  chan struct{} // capacity 1: taken while ender runs

	mu   sync.Mutex // guards next
	next map[enderKind]*enderBatch
}

type enderKind struct{ signal, except string }

// enderBatch is one run that is to come, and then what it came to.
type enderBatch struct {
	marks []string
	done  chan struct{}
	code  int
	err   error
}

// run sends the signal to the processes whose mark begins with mark but not with except,
// together with others for which the same is asked meanwhile. The code is of all of
// them: with enderSome there may have been none of this mark.
func (e *enders) run(ctx context.Context, eng *engine, id, signal, mark, except string) (code int, err error) {
	q := e.enter(id)
	defer e.leave(id, q)
	b, first := q.join(enderKind{signal, except}, mark)
	if !first {
		select {
		case <-b.done:
			return b.code, b.err
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	defer close(b.done)
	select {
	case q.slot <- struct{}{}:
		defer func() { <-q.slot }()
	case <-ctx.Done():
		q.shut(enderKind{signal, except}, b)
		b.err = context.Cause(ctx)
		return 0, b.err
	}
	q.shut(enderKind{signal, except}, b)
	b.code, b.err = eng.runEnder(ctx, id, signal, except, b.marks)
	return b.code, b.err
}

func (e *enders) enter(id string) *enderQueue {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := e.queues[id]
	if q == nil {
		q = &enderQueue{slot: make(chan struct{}, 1), next: map[enderKind]*enderBatch{}}
		if e.queues == nil {
			e.queues = map[string]*enderQueue{}
		}
		e.queues[id] = q
	}
	q.users++
	return q
}

func (e *enders) leave(id string, q *enderQueue) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(e.queues, id)
	}
}

// join adds a mark to the run that is to come. Who is first makes it run.
func (q *enderQueue) join(kind enderKind, mark string) (b *enderBatch, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b = q.next[kind]; b == nil || len(b.marks) >= maxMarks {
		b, first = &enderBatch{done: make(chan struct{})}, true
		q.next[kind] = b
	}
	b.marks = append(b.marks, mark)
	return b, first
}

// shut lets nobody join b any more.
func (q *enderQueue) shut(kind enderKind, b *enderBatch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next[kind] == b {
		delete(q.next, kind)
	}
}
