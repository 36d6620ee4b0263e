package docker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
)

// exec starts a command in a container, never with a terminal, as the container's own
// user and with its environment, and joins its standard streams. With an error the id
// tells that it may have been started.
func (e *engine) exec(ctx context.Context, in string, words []string, env string) (conn types.HijackedResponse, id string, err error) {
	made, err := e.cli.ContainerExecCreate(ctx, in, container.ExecOptions{
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: words, Env: []string{env}})
	if err != nil {
		return conn, "", err
	}
	conn, err = e.cli.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	return conn, made.ID, err
}

// runEnder runs ender in a container, and answers its exit code.
func (e *engine) runEnder(ctx context.Context, id, signal, mark, except string) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, enderTimeout)
	defer cancel()
	conn, exec, err := e.exec(ctx, id, enderCommand(signal, mark, except), enderVariable+"=1")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	if _, err := io.Copy(io.Discard, conn.Reader); err != nil {
		return 0, fmt.Errorf("the command that ends others did not end within %v: %w", enderTimeout, err)
	}
	return e.exitCode(ctx, exec)
}

// enderTimeout bounds one run of ender, which looks at every process of a container.
const enderTimeout = 10 * time.Second

// exitCode answers that of a command whose output has ended. The engine hears of its
// end a moment later.
func (e *engine) exitCode(ctx context.Context, exec string) (int, error) {
	for {
		x, err := e.cli.ContainerExecInspect(ctx, exec)
		if err != nil || !x.Running {
			return x.ExitCode, err
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return 0, context.Cause(ctx)
		}
	}
}
