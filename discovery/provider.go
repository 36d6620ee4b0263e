package discovery

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Sink takes desired sets.
type Sink interface {
	// Put says that source now wants exactly set. A later set of the same
	// source replaces an earlier one, so that a receiver may skip sets but
	// never undo them. An empty set is a statement too: the source wants
	// nothing. Put never blocks on I/O, may be called from any goroutine, and
	// keeps set: the caller must not change it afterwards.
	Put(source string, set []Backend)
}

// Provider is one source of desired backends.
type Provider interface {
	// Source is the name under which Run calls Put.
	Source() string
	// Run calls sink.Put with the whole desired set whenever it changes, the
	// first time as soon as it is known, and returns when ctx ends. It never
	// puts a set that it knows to be incomplete: when its world cannot be asked,
	// the last set stands. An error that another attempt could mend is not a
	// reason to return.
	Run(ctx context.Context, sink Sink) error
}

// Watch runs all providers into one sink until ctx ends, or until one of them
// returns an error, which ends the others. It returns when all have ended.
func Watch(ctx context.Context, sink Sink, providers ...Provider) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(providers))
	var wg sync.WaitGroup
	for i, p := range providers {
		wg.Go(func() {
			if err := p.Run(ctx, sink); err != nil && ctx.Err() == nil {
				errs[i] = fmt.Errorf("%s provider: %w", p.Source(), err)
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
