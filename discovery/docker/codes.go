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
	codeConflict      = "L020"
	codeNotOnNetwork  = "N001"
	codeNoAddress     = "N002"
	codePaused        = "C001"
)

// codeTable explains the codes; labels.md is generated from it.
var codeTable = []struct {
	code, title  string
	severity     discovery.Severity
	meaning, fix string
}{
	{codeUnknownLabel, "unknown label", discovery.SeverityWarning, "No such label. It is ignored, the others apply.", "Take the label it suggests, or remove it."},
	{codeBadValue, "bad value", discovery.SeverityError, "The value of a label cannot be used. For `timeout.*` it is a warning, and the default applies.", "Use a value the message names."},
	{codeSecret, "secret in a label", discovery.SeverityWarning, "A label looks as if it held a secret. It applies, and is shown nowhere, but everybody who may inspect the container can read it.", "Keep the secret in the server, or register the backend by REST with a header."},
	{codeUnsupported, "not supported by this version", discovery.SeverityWarning, "The label belongs to a later version. It is ignored; where that would show or reach more than was asked for, it is an error.", "Remove it, or use a newer gateway."},
	{codeMisspelt, "misspelt prefix", discovery.SeverityWarning, "The label looks as if it was meant for the gateway, but its prefix is another. It is ignored.", "Write it with the right prefix."},
	{codeLabelCase, "upper case", discovery.SeverityWarning, "Label keys are lower case. It was understood all the same.", "Write the key in lower case."},
	{codeAlias, "other spelling", discovery.SeverityInfo, "The value is another word for a known one.", "Nothing needs to be done."},
	{codeTwice, "label set twice", discovery.SeverityError, "Two labels differ only in case and contradict each other.", "Remove one."},
	{codeTooMany, "too many labels", discovery.SeverityError, "More labels for the gateway than it reads from one container.", "Remove some."},
	{codeAmbiguousPort, "ambiguous port", discovery.SeverityError, "Several ports are exposed, and none stands out.", "Set `mcp-gw.port`."},
	{codeNoPort, "no port", discovery.SeverityError, "No TCP port is exposed, and none is set.", "Set `mcp-gw.port`."},
	{codeNoName, "no usable name", discovery.SeverityError, "No valid name can be made from the service or container name.", "Set `mcp-gw.name`."},
	{codeNoEffect, "no effect", discovery.SeverityWarning, "The label can have no effect beside the others: `mcp-gw.tls.*` with `http`, `mcp-gw.tls.ca` when nothing is checked.", "Set `mcp-gw.scheme=https`, or remove the label."},
	{codeConflict, "name taken", discovery.SeverityError, "Another container has the name already.", "Set `mcp-gw.name` on one of the two."},
	{codeNotOnNetwork, "not on the network", discovery.SeverityError, "The container has labels, but does not share the gateway's network.", "Connect it, with the command the message gives."},
	{codeNoAddress, "no address", discovery.SeverityError, "The container runs and is on the network, but has no address there.", "Connect it anew: `docker network disconnect`, then `connect`."},
	{codePaused, "paused", discovery.SeverityWarning, "The container is paused. Its tools stay listed, calls do not get through.", "`docker unpause` it."},
}
