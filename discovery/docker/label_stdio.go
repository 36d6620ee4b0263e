package docker

import (
	"encoding/json"
	"strings"
)

var stdioLabels = []label{
	{key: "stdio.mode", kind: "`attach` or `exec`", fallback: "`attach`", example: "attach", strict: true,
		doc: "`attach` speaks to the container's own process, which needs its input open (`stdin_open: true`) and no terminal. `exec` starts a command in it, and ends it with the session; it needs `MCP_GW_ALLOW_EXEC` on the gateway, and `sh` and `cat` in the image. It has a minute to start, unless `mcp-gw.timeout.init` says otherwise.", wrong: "is none of attach, exec", set: setStdioMode},
	{key: "stdio.command", kind: "JSON list of words", fallback: "none", example: `["npx","-y","srv"]`, strict: true,
		doc: "The command that `exec` starts, as the container's user and with its environment. No shell takes it apart: `[\"sh\",\"-c\",\"…\"]` is one.", wrong: "is not a JSON list of words", set: setStdioCommand},
	{key: "stdio.session", kind: "`shared` or `per-client`", fallback: "`shared`", example: "shared", strict: true,
		doc: "`shared`: all clients share one process. `per-client`: each session has one of its own, at most 100, with `exec` only; `mcp-gw shim` in the container does that without. Clients of 2026-07-28 have no sessions: a process serves one of their calls at a time, and others later.", wrong: "is none of shared, per-client", set: setStdioSession},
}

const (
	stdioAttach    = "attach"
	stdioExec      = "exec"
	stdioShared    = "shared"
	stdioPerClient = "per-client"

	maxCommand = 64 // words
)

func setStdioMode(s *settings, _, value string) (string, error) {
	v, err := oneOf(value, stdioAttach, stdioExec)
	if err == nil {
		s.stdioMode = v
	}
	return "", err
}

func setStdioCommand(s *settings, _, value string) (string, error) {
	var command []string
	if err := json.Unmarshal([]byte(value), &command); err != nil {
		return "", refuse("", `is not a JSON list of words such as ["npx","-y","srv"]`)
	}
	switch {
	case len(command) == 0 || command[0] == "":
		return "", refuse("", "names no command")
	case len(command) > maxCommand:
		return "", refuse("", "has %d words, and may have %d", len(command), maxCommand)
	}
	for _, w := range command {
		if strings.ContainsRune(w, 0) {
			return "", refuse("", "has a null character")
		}
	}
	s.stdioCommand = command
	return "", nil
}

func setStdioSession(s *settings, _, value string) (string, error) {
	v, err := oneOf(value, stdioShared, stdioPerClient)
	if err == nil {
		s.stdioSession = v
	}
	return "", err
}
