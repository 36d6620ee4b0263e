package discovery

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// funcProvider is a provider made of its Run.
type funcProvider struct {
	name string
	run  func(context.Context, Sink) error
}

func (p funcProvider) Source() string                           { return p.name }
func (p funcProvider) Run(ctx context.Context, sink Sink) error { return p.run(ctx, sink) }

// funcSink is a sink made of its Put.
type funcSink func(source string, set []Backend)

func (f funcSink) Put(source string, set []Backend) { f(source, set) }

func untilEnd(ctx context.Context, _ Sink) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestWatchRunsAllUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 2)
		sink := funcSink(func(source string, set []Backend) { got <- source + " " + set[0].Name })
		put := func(name string) funcProvider {
			return funcProvider{name, func(ctx context.Context, sink Sink) error {
				sink.Put(name, []Backend{{Name: "b-" + name}})
				return untilEnd(ctx, sink)
			}}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- Watch(ctx, sink, put("one"), put("two")) }()
		synctest.Wait()
		if a, b := <-got, <-got; a != "one b-one" && b != "one b-one" {
			t.Errorf("sets %q, %q", a, b)
		}
		select {
		case err := <-ended:
			t.Fatalf("Watch ended by itself: %v", err)
		default:
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v, want nil: its context ended", err)
		}
	})
}

func TestWatchEndsAllWhenOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		others := 0
		err := Watch(t.Context(), funcSink(func(string, []Backend) {}),
			funcProvider{"good", func(ctx context.Context, sink Sink) error {
				defer func() { others++ }()
				return untilEnd(ctx, sink)
			}},
			funcProvider{"bad", func(context.Context, Sink) error { return broken }},
		)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "bad provider") {
			t.Errorf("Watch: %v", err)
		}
		if others != 1 {
			t.Error("Watch returned before the other provider did")
		}
	})
}

func TestWatchGoesOnWhenOneIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- Watch(ctx, funcSink(func(string, []Backend) {}),
				funcProvider{"done", func(context.Context, Sink) error { return nil }},
				funcProvider{"on", untilEnd})
		}()
		synctest.Wait()
		if len(ended) != 0 {
			t.Error("Watch ended with its first provider")
		}
		cancel()
		<-ended
	})
}
