package docker

import "mcp-gw/discovery"

// Codes of diagnostics. They are part of the contract in labels.md: a code keeps
// its meaning, and is not used again when it falls out of use.
const (
	codeUnknownLabel  = "L001"
	codeBadValue      = "L002"
	codeSecret        = "L003"
	codeUnsupported   = "L004"
	codeMisspelt      = "L005"
	codeLabelCase     = "L006"
	codeAlias         = "L007"
	codeTwice         = "L008"
	codeTooMany       = "L009"
	codeAmbiguousPort = "L010"
	codeNoPort        = "L011"
	codeNoName        = "L012"
	codeNoEffect      = "L013"
	codeMixed         = "L014"
	codeExcludes      = "L015"
	codeNotPermitted  = "L016"
	codeConflict      = "L020"
	codeDependsOn     = "L021"
	codeNotGranted    = "L030"
	codeNoSecret      = "L031"
	codeBadSecret     = "L032"
	codeNotOnNetwork  = "N001"
	codeNoAddress     = "N002"
	codePaused        = "C001"
	codeStdinClosed   = "S001"
	codeTTY           = "S002"
)

// codeTable explains the codes; labels.md is generated from it.
var codeTable = []struct {
	code, title  string
	severity     discovery.Severity
	meaning, fix string
}{
	{codeUnknownLabel, "unknown label", discovery.SeverityWarning, "No such label. It is ignored, the others apply.", "Take the label it suggests, or remove it."},
	{codeBadValue, "bad value", discovery.SeverityError, "The value of a label cannot be used. For labels that only tune or describe it is a warning, and the default applies.", "Use a value the message names."},
	{codeSecret, "secret in a label", discovery.SeverityWarning, "A label looks as if it held a secret. It applies, and is shown nowhere, but everybody who may inspect the container can read it.", "Put the secret into a file of the gateway, and name it with `mcp-gw.auth.secret` or `mcp-gw.secret-headers.<Name>`."},
	{codeUnsupported, "not supported by this version", discovery.SeverityWarning, "The label belongs to a later version. It is ignored; where that would show or reach more than was asked for, it is an error.", "Remove it, or use a newer gateway."},
	{codeMisspelt, "misspelt prefix", discovery.SeverityWarning, "The label looks as if it was meant for the gateway, but its prefix is another. It is ignored.", "Write it with the right prefix."},
	{codeLabelCase, "upper case", discovery.SeverityWarning, "Label keys are lower case. It was understood all the same.", "Write the key in lower case."},
	{codeAlias, "other spelling", discovery.SeverityInfo, "The value is another word for a known one.", "Nothing needs to be done."},
	{codeTwice, "label set twice", discovery.SeverityError, "Two labels differ only in case and contradict each other.", "Remove one."},
	{codeTooMany, "too many labels", discovery.SeverityError, "More labels for the gateway than it reads from one container.", "Remove some."},
	{codeAmbiguousPort, "ambiguous port", discovery.SeverityError, "Several ports are exposed, and none stands out.", "Set `mcp-gw.port`."},
	{codeNoPort, "no port", discovery.SeverityError, "No TCP port is exposed, and none is set.", "Set `mcp-gw.port`."},
	{codeNoName, "no usable name", discovery.SeverityError, "No valid name can be made from the service or container name.", "Set `mcp-gw.name`."},
	{codeNoEffect, "no effect", discovery.SeverityWarning, "The label can have no effect beside the others: `mcp-gw.tls.*` with `http`, `mcp-gw.stdio.*` without `transport=stdio`, `mcp-gw.path` with it.", "Remove the label, or set the one that the message names."},
	{codeMixed, "one or several", discovery.SeverityError, "The container has one backend, by `mcp-gw.name`, or several, by `mcp-gw.backends.<name>.*`. Not both.", "Remove `mcp-gw.name`."},
	{codeExcludes, "labels exclude each other", discovery.SeverityError, "Two labels cannot both hold, or one needs another: `url` with `port`, `path` or `scheme`; `auth` without `auth.secret`; one header set twice.", "Remove one of the two, or add the one that is missing."},
	{codeNotPermitted, "not permitted", discovery.SeverityError, "The label asks for something that whoever runs the gateway has not allowed.", "Set what the message names on the gateway, or remove the label."},
	{codeConflict, "name taken", discovery.SeverityError, "Another container has the name already.", "Set `mcp-gw.name` on one of the two."},
	{codeDependsOn, "depends on itself", discovery.SeverityError, "A backend waits for itself, or for one that waits for it.", "Remove a name from `mcp-gw.depends-on`."},
	{codeNotGranted, "secret not granted", discovery.SeverityError, "The container names a secret that it was not given.", "Grant it, with the `MCP_GW_SECRET_GRANTS` that the message gives."},
	{codeNoSecret, "no such secret", discovery.SeverityError, "There is no file of that name in `MCP_GW_SECRETS_DIR`.", "Create the file, or mend the name. It is looked for every 30 seconds."},
	{codeBadSecret, "unusable secret", discovery.SeverityError, "The file of the secret cannot be read, is empty or too long, or has a line break or another control character in it.", "Mend the file, as the message says."},
	{codeNotOnNetwork, "not on the network", discovery.SeverityError, "The container has labels, but does not share the gateway's network.", "Connect it, with the command the message gives."},
	{codeNoAddress, "no address", discovery.SeverityError, "The container runs and is on the network, but has no address there.", "Connect it anew: `docker network disconnect`, then `connect`."},
	{codePaused, "paused", discovery.SeverityWarning, "The container is paused. Its tools stay listed, calls do not get through.", "`docker unpause` it."},
	{codeStdinClosed, "input closed", discovery.SeverityError, "`transport=stdio`, and the container has no open input to write to.", "Start it with `stdin_open: true` (`docker run -i`)."},
	{codeTTY, "terminal", discovery.SeverityError, "`transport=stdio`, and the container has a terminal, which mixes its output with its errors and echoes what it is sent.", "Start it without `tty: true` (`docker run -t`)."},
}
