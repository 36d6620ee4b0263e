package docker

import (
	"context"
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

// runEnder runs ender in a container, and answers its exit code. It returns when ender
// is over, which may be long in coming where the machine is busy: another one beside it
// would make that worse. Only the end of ctx leaves it alone.
func (e *engine) runEnder(ctx context.Context, id, signal, except string, marks []string) (code int, err error) {
	conn, exec, err := e.exec(ctx, id, enderCommand(signal, except, marks...), enderVariable+"=1")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	// Its output ends with it, and with the connection, which may lead nowhere by now.
	_ = conn.Conn.SetReadDeadline(time.Now().Add(enderTimeout))
	_, _ = io.Copy(io.Discard, conn.Reader)
	return e.exitCode(ctx, exec)
}

// enderTimeout is how long the engine is relied on to tell of the end of ender by itself.
const enderTimeout = 10 * time.Second

// exitCode answers that of a command whose output has ended. The engine hears of its
// end a moment later.
func (e *engine) exitCode(ctx context.Context, exec string) (int, error) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		x, err := e.cli.ContainerExecInspect(ctx, exec)
		if err != nil || !x.Running {
			return x.ExitCode, err
		}
		if !sleep(ctx, pause) {
			return 0, context.Cause(ctx)
		}
	}
}
