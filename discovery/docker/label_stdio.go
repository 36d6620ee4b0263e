package docker

import (
	"encoding/json"
	"strings"
)

var stdioLabels = []label{
	{key: "stdio.mode", later: true, kind: "`attach` or `exec`", fallback: "`attach`", example: "attach", strict: true,
		doc: "`attach` speaks to the container's own process, which needs its input open (`stdin_open: true`) and no terminal. `exec` starts a command in it, and needs the gateway's `MCP_GW_ALLOW_EXEC`.", wrong: "is none of attach, exec", set: setStdioMode},
	{key: "stdio.command", later: true, kind: "JSON list of words", fallback: "none", example: `["npx","-y","srv"]`, strict: true,
		doc: "The command that `exec` starts.", wrong: "is not a JSON list of words", set: setStdioCommand},
	{key: "stdio.session", later: true, kind: "`shared` or `per-client`", fallback: "`shared`", example: "shared", strict: true,
		doc: "`shared`: all clients share one process. `per-client`: each has one of its own, with `exec` only; `mcp-gw shim` in the container does that without.", wrong: "is none of shared, per-client", set: setStdioSession},
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
