package discovery

import (
	"context"
	"io"
)

// Opener connects the standard input and output of a stdio backend's process. What
// it answers carries bytes as the process reads and writes them: Write types into
// its input, Read takes its output, io.EOF from Read is the end of the process, and
// nothing else is. Close may come at any time, from any goroutine, and ends a Read
// and a Write that wait. It never ends the input of a process that goes on; one that
// was started for the stream alone is ended with it, a moment later.
//
// What Read answers at the end of a process may be an EndError, which is io.EOF and
// tells more.
//
// The stream may be an ErrorOutput. An error is a sentence for people, with the fix
// where there is one.
type Opener = func(context.Context) (io.ReadWriteCloser, error)

// ErrorOutput is what a stream of an Opener may be besides: it has what the process
// writes to its standard error.
type ErrorOutput interface {
	// ErrorLines answers the lines, closed when the stream has ended. Nobody waits
	// for who takes them: what finds no room is lost.
	ErrorLines() <-chan string
}

// EndError is the io.EOF of a process of which is known how it ended.
type EndError struct {
	// How is a sentence for people, with the fix where there is one.
	How string
}

func (e *EndError) Error() string { return e.How }

// Is makes it io.EOF.
func (e *EndError) Is(target error) bool { return target == io.EOF }
