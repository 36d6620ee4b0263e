package docker

import "mcp-gw/discovery"

// Codes of diagnostics. They are part of the contract in labels.md: a code keeps
// its meaning, and is not used again when it falls out of use.
const (
	codeUnknownLabel = "L001"
	codeBadValue     = "L002"
	codeSecret       = "L003"
	// L004 was of labels that an earlier version did not act on.
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
	codeNoSocket      = "D001"
	codeSocketDir     = "D002"
	codeDenied        = "D003"
	codeNobody        = "D004"
	codeStale         = "D005"
	codeUnknownHost   = "D006"
	codeUnreachable   = "D007"
	codeNoEngine      = "D008"
	codeTLSWanted     = "D009"
	codeTLSNotWanted  = "D010"
	codeCertificate   = "D011"
	codeAPIVersion    = "D012"
	codeRefused       = "D013"
	codeSilent        = "D014"
	codeSSH           = "D015"
	codeSettings      = "D016"
	codeStreamEnded   = "D017"
	codeEngineError   = "D018"
	codeNoEvents      = "D020"
	codeNoInspect     = "D021"
	codeNoNetworks    = "D022"
	codeNotInspected  = "D023"
	codeDeployLabels  = "N003"
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
	{codeNoSecret, "no such secret", discovery.SeverityError, "There is no file of that name in `MCP_GW_SECRETS_DIR`.", "Create the file, or mend the name. It is looked for at least once a minute."},
	{codeBadSecret, "unusable secret", discovery.SeverityError, "The file of the secret cannot be read, is empty or too long, or has a line break or another control character in it.", "Mend the file, as the message says."},
	{codeNotOnNetwork, "not on the network", discovery.SeverityError, "The container has labels, but does not share the gateway's network.", "Connect it, with the command the message gives."},
	{codeNoAddress, "no address", discovery.SeverityError, "The container runs and is on the network, but has no address there.", "Connect it anew: `docker network disconnect`, then `connect`."},
	{codePaused, "paused", discovery.SeverityWarning, "The container is paused. Its tools stay listed, calls do not get through.", "`docker unpause` it."},
	{codeStdinClosed, "input closed", discovery.SeverityError, "`transport=stdio`, and the container has no open input to write to.", "Start it with `stdin_open: true` (`docker run -i`)."},
	{codeTTY, "terminal", discovery.SeverityError, "`transport=stdio`, and the container has a terminal, which mixes its output with its errors and echoes what it is sent.", "Start it without `tty: true` (`docker run -t`)."},
	{codeNoSocket, "no socket", discovery.SeverityError, "There is no engine's socket where `DOCKER_HOST` points.", "Mount it, or set `DOCKER_HOST`."},
	{codeSocketDir, "socket is a directory", discovery.SeverityError, "A directory stands where the socket should: an engine makes one when it is to mount a file that does not exist.", "Remove the directory on the host, start the engine there, then this container anew."},
	{codeDenied, "permission denied", discovery.SeverityError, "The socket may not be opened by this user.", "Add the group that the message names, or use `docker-proxy`."},
	{codeNobody, "nobody listens", discovery.SeverityError, "The socket is there, and no engine behind it: it is starting, or was stopped.", "Start the engine."},
	{codeStale, "stale socket", discovery.SeverityError, "Nobody has listened on the socket for 15 seconds. An engine that was restarted makes its socket anew, and a mounted one stays the old.", "Start this container anew, or mount the socket's directory."},
	{codeUnknownHost, "unknown host", discovery.SeverityError, "The name in `DOCKER_HOST` is not known.", "Put the proxy and the gateway on one network."},
	{codeUnreachable, "unreachable", discovery.SeverityError, "No connection to the address in `DOCKER_HOST`.", "Start what should listen there, or mend `DOCKER_HOST`."},
	{codeNoEngine, "not an engine", discovery.SeverityError, "What answers is no container engine, or a proxy that does not pass `/_ping` on.", "Permit `/_ping` on the proxy, or mend `DOCKER_HOST`."},
	{codeTLSWanted, "TLS wanted", discovery.SeverityError, "The engine speaks TLS, and the gateway does not.", "Set `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY=1`."},
	{codeTLSNotWanted, "TLS not wanted", discovery.SeverityError, "The gateway speaks TLS, and the engine does not.", "Unset `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY`."},
	{codeCertificate, "certificate refused", discovery.SeverityError, "One side does not accept the other's certificate.", "Put the right `ca.pem`, `cert.pem` and `key.pem` into `DOCKER_CERT_PATH`."},
	{codeAPIVersion, "API version", discovery.SeverityError, "Engine and gateway have no version of the engine's API in common, or `DOCKER_API_VERSION` demands one that the engine does not speak.", "Unset `DOCKER_API_VERSION`, or use a version of either that fits."},
	{codeRefused, "request refused", discovery.SeverityError, "A socket proxy refuses a request that nothing works without.", "Permit it there, as the message says."},
	{codeSilent, "no answer", discovery.SeverityError, "The connection is accepted, and no answer comes.", "Look at the engine, or at what is behind the proxy."},
	{codeSSH, "ssh", discovery.SeverityError, "`DOCKER_HOST=ssh://…` is not supported.", "Use a socket proxy, or tcp with TLS."},
	{codeSettings, "unusable settings", discovery.SeverityError, "The settings of the engine's address cannot be used.", "Mend the one that the message names."},
	{codeStreamEnded, "event stream ended", discovery.SeverityInfo, "The stream of events ended, as streams do, and some proxies see to it every ten minutes. It is opened again, and everything looked at anew.", "Nothing needs to be done."},
	{codeEngineError, "engine error", discovery.SeverityError, "The engine failed at something, in its own words.", "Look at the engine's log."},
	{codeNoEvents, "no events", discovery.SeverityWarning, "A socket proxy refuses `/events`. Containers are looked at every three seconds instead.", "Permit it there, as the message says."},
	{codeNoInspect, "no inspect", discovery.SeverityWarning, "A socket proxy refuses `/containers/{id}/json`. Containers are known from the listing alone: whether one was started anew while the gateway did not listen cannot be told, nor whether its input is open.", "Permit it there, as the message says."},
	{codeNoNetworks, "no networks", discovery.SeverityWarning, "A socket proxy refuses `/networks`. Networks are told apart by name.", "Permit it there, as the message says."},
	{codeNotInspected, "not inspected", discovery.SeverityWarning, "One container cannot be inspected. What was known of it stands, and it is asked for again every second.", "Look at the engine's log."},
	{codeDeployLabels, "labels under deploy", discovery.SeverityError, "A service of the swarm has the labels, its containers have not: `deploy.labels` are the service's own.", "Move them to `labels:` of the service."},
}
