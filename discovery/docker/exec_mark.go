package docker

import (
	"regexp"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// An engine starts commands in a container and never ends one, nor does it say which
// of the container's processes they are: whoever closes the connection leaves them
// running. So each gets a variable of its own in its environment, which its children
// inherit, and by which a second command, ender, finds them all.
//
// Its value is three times 16 hexadecimal digits: of which gateway and backend it is,
// which run of the gateway, which command.
const (
	execVariable  = "MCP_GW_EXEC"
	enderVariable = "MCP_GW_ENDER"
)

// ender sends the signal $1 to the processes whose mark begins with $2, but not with
// $3. It ends with 0 when there was none, with enderSome when there were some, and with
// anything else when it cannot tell.
const ender = `see() { e=$(cat "/proc/$1/environ"); }
exec 2>/dev/null
see $$
case $e in *` + enderVariable + `=1*) ;; *) exit 5 ;; esac
some=0
for p in /proc/[0-9]*; do
  p=${p#/proc/}
  see "$p"
  case $e in
  *"` + execVariable + `=$3"*) ;;
  *"` + execVariable + `=$2"*) some=1; kill -"$1" "$p" ;;
  esac
done
exit $some`

const (
	enderSome = 1
	enderNone = "-" // no mark begins with it
)

func enderCommand(signal, mark, except string) []string {
	return []string{"sh", "-c", ender, "mcp-gw", signal, mark, except}
}

var (
	markForm   = regexp.MustCompile(`^[0-9a-f]{16}\.[0-9a-f]{16}\.[0-9a-f]{16}$`)
	endingForm = regexp.MustCompile(`^[0-9a-f]{16}\.([0-9a-f]{16}\.([0-9a-f]{16})?)?$`)
)

// MayExec reports whether the labels of a container ask for a command to be started
// in it: for the command itself, with its mark alone in its environment, or for what
// ends such commands.
func MayExec(prefix string, labels map[string]string, command, env []string) bool {
	asked := execCommands(prefix, labels)
	if len(asked) == 0 || len(env) != 1 {
		return false
	}
	if mark, ok := strings.CutPrefix(env[0], execVariable+"="); ok {
		return markForm.MatchString(mark) && slices.ContainsFunc(asked, func(c []string) bool { return slices.Equal(c, command) })
	}
	if env[0] != enderVariable+"=1" || len(command) != len(enderCommand("", "", "")) {
		return false
	}
	signal, mark, except := command[4], command[5], command[6]
	return slices.Equal(command, enderCommand(signal, mark, except)) && (signal == "TERM" || signal == "KILL") &&
		endingForm.MatchString(mark) && (except == enderNone || endingForm.MatchString(except))
}

// execSpecs are the backends of a container that a command is started for.
func execSpecs(prefix string, labels map[string]string) []spec {
	p := parseLabels(prefix, labels)
	specs := p.several
	if specs == nil {
		specs = []spec{p.spec}
	}
	if _, bad := firstError(p.diagnostics); bad {
		return nil
	}
	return slices.DeleteFunc(specs, func(s spec) bool {
		_, bad := firstError(s.diagnostics)
		return bad || s.transport != discovery.TransportStdio || s.stdioMode != stdioExec || s.stdioCommand == nil
	})
}

func execCommands(prefix string, labels map[string]string) (all [][]string) {
	for _, s := range execSpecs(prefix, labels) {
		all = append(all, s.stdioCommand)
	}
	return all
}

// execCommand is the command that is started for one backend of a container; nil where
// its own process is attached to. A container with one backend need not name it.
func execCommand(prefix string, labels map[string]string, backend string) []string {
	for _, s := range execSpecs(prefix, labels) {
		if s.name == backend || !strings.Contains(s.prefix, "."+severalKey) {
			return s.stdioCommand
		}
	}
	return nil
}
