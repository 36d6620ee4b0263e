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

// ender sends the signal $1 to the processes whose mark begins with one of $3 and what
// follows, but not with $2. It ends with 0 when there was none, with enderSome when there
// were some, and with anything else when it cannot tell.
const ender = `see() { e=$(cat "/proc/$1/environ"); }
exec 2>/dev/null
see $$
case $e in *` + enderVariable + `=1*) ;; *) exit 5 ;; esac
signal=$1 except=$2 some=0
shift 2
for p in /proc/[0-9]*; do
  p=${p#/proc/}
  see "$p"
  case $e in
  *"` + execVariable + `=$except"*) continue ;;
  *"` + execVariable + `="*) ;;
  *) continue ;;
  esac
  for mark; do
    case $e in *"` + execVariable + `=$mark"*) some=1; kill -"$signal" "$p" ;; esac
  done
done
exit $some`

const (
	enderSome = 1
	enderNone = "-" // no mark begins with it
	// maxMarks bounds what one run of ender looks for.
	maxMarks = 64
)

func enderCommand(signal, except string, marks ...string) []string {
	return append([]string{"sh", "-c", ender, "mcp-gw", signal, except}, marks...)
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
	fixed := len(enderCommand("", ""))
	if env[0] != enderVariable+"=1" || len(command) <= fixed || len(command) > fixed+maxMarks {
		return false
	}
	signal, except, marks := command[fixed-2], command[fixed-1], command[fixed:]
	return slices.Equal(command, enderCommand(signal, except, marks...)) && (signal == "TERM" || signal == "KILL") &&
		(except == enderNone || endingForm.MatchString(except)) &&
		!slices.ContainsFunc(marks, func(mark string) bool { return !endingForm.MatchString(mark) })
}

// MayAttach reports whether the labels of a container say that its own process speaks MCP
// on its standard input and output.
func MayAttach(prefix string, labels map[string]string) bool {
	return len(stdioSpecs(prefix, labels, stdioAttach)) > 0
}

// execSpecs are the backends of a container that a command is started for.
func execSpecs(prefix string, labels map[string]string) []spec {
	return slices.DeleteFunc(stdioSpecs(prefix, labels, stdioExec), func(s spec) bool { return s.stdioCommand == nil })
}

// stdioSpecs are the backends of a container that are spoken to in one mode.
func stdioSpecs(prefix string, labels map[string]string, mode string) []spec {
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
		return bad || s.transport != discovery.TransportStdio || s.stdioMode != mode
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
