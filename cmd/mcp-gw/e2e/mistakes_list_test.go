package e2e

// mistake is one way not to be there. Each is a container that runs the demo server.
type mistake struct {
	name    string
	verdict string // in /api/discovery, once all has settled
	said    string // part of the log lines that tell of it, "" for all: others come as it happens
	reason  string // part of the reason that ends the waiting, "" where the verdict does
	run     string // arguments of docker run before the image
	ill     bool   // the image's health check fails
	late    bool   // made with the gateway there: the engine restarts it ever more slowly
	args    string // of the server
	after   string // a docker command, with the container's name behind
	compose string // the same as members of a compose service; "" where a file cannot tell
}

const (
	onNet       = "--network=" + mistakesNet + " "
	inFile      = "networks: [" + mistakesNet + "], "
	withPort    = onNet + "--label=mcp-gw.port=8080"
	fileLabels  = inFile + `labels: {mcp-gw.port: "8080"`
	fileEnabled = inFile + `labels: {mcp-gw.enable: "true"}`

	// Two secrets, and no line that anybody reads may have either.
	labelSecret   = "ghp_0123456789-of-a-label"
	grantedSecret = "0123456789-of-a-file"
)

// mistakes are those that people make. The first services are right, so that a name
// can be taken and a secret be in use.
var mistakes = []mistake{
	{name: "good", verdict: "registered", reason: "tools", run: withPort, compose: fileLabels + "}"},
	{name: "good-secret", verdict: "registered", reason: "tools", run: withPort + " --label=mcp-gw.auth=bearer --label=mcp-gw.auth.secret=granted_token"},
	{name: "typo-in-key", verdict: "registered_warn", run: withPort + " --label=mcp-gw.transprot=http", compose: fileLabels + ", mcp-gw.transprot: http}"},
	{name: "typo-in-prefix", verdict: "near_miss_label", run: onNet + "--label=mcpgw.port=8080", compose: inFile + `labels: {mcpgw.port: "8080"}`},
	{name: "port-missing", verdict: "no_port", run: onNet + "--label=mcp-gw.enable=true", compose: fileEnabled},
	{name: "two-ports", verdict: "port_ambiguous", run: onNet + "--label=mcp-gw.enable=true --expose=3000 --expose=8080", compose: fileEnabled + `, expose: ["3000", "8080"]`},
	{name: "wrong-network", verdict: "no_shared_network", run: "--network=" + mistakesWeb + " --label=mcp-gw.port=8080", compose: `networks: [web], labels: {mcp-gw.port: "8080"}`},
	{name: "no-network", verdict: "no_shared_network", run: "--network=none --label=mcp-gw.port=8080", compose: `network_mode: none, labels: {mcp-gw.port: "8080"}`},
	{name: "host-network", verdict: "no_port", run: "--network=host --label=mcp-gw.enable=true", args: "--listen=127.0.0.1:0", compose: `network_mode: host, labels: {mcp-gw.enable: "true"}`},
	{name: "tty-on", verdict: "stdio", run: "-it " + onNet + "--label=mcp-gw.transport=stdio", compose: inFile + "labels: {mcp-gw.transport: stdio}, stdin_open: true, tty: true"},
	{name: "stdin-closed", verdict: "stdio", run: onNet + "--label=mcp-gw.transport=stdio", compose: inFile + "labels: {mcp-gw.transport: stdio}"},
	{name: "no-labels", verdict: "not_labelled", run: onNet, compose: "networks: [" + mistakesNet + "]"},
	{name: "name-taken", verdict: "conflict", run: withPort + " --label=mcp-gw.name=mistake-good", compose: fileLabels + ", mcp-gw.name: good}"},
	{name: "secret-not-granted", verdict: "secret", run: withPort + " --label=mcp-gw.auth=bearer --label=mcp-gw.auth.secret=github_token", compose: fileLabels + ", mcp-gw.auth: bearer, mcp-gw.auth.secret: github_token}"},
	{name: "label-secret", verdict: "registered_warn", run: withPort + " --label=mcp-gw.headers.Authorization=" + labelSecret, compose: fileLabels + ", mcp-gw.headers.Authorization: " + labelSecret + "}"},
	{name: "bad-duration", verdict: "registered_warn", run: withPort + " --label=mcp-gw.timeout.call=30", compose: fileLabels + `, mcp-gw.timeout.call: "30"}`},
	{name: "unhealthy", verdict: "unhealthy", reason: "unknown flag", run: withPort, ill: true},
	{name: "paused", verdict: "registered_warn", run: withPort, after: "pause"},
	{name: "crash-loop", verdict: "flapping", reason: "it last exited", said: "over and over", late: true, run: withPort + " --restart=always", args: "--no-such-flag"},
	{name: "stopped", verdict: "not_running", run: withPort, after: "stop"},
	{name: "one-off", verdict: "one_off", run: withPort + " --label=com.docker.compose.oneoff=True --label=com.docker.compose.service=shop"},
	{name: "wrong-port", verdict: "refused", run: onNet + "--label=mcp-gw.port=8081"},
	{name: "localhost-only", verdict: "refused", run: withPort, args: "--listen=127.0.0.1:8080"}, // F26
	{name: "wrong-path", verdict: "http_status", run: withPort + " --label=mcp-gw.path=/api"},
	{name: "wrong-transport", verdict: "http_status", run: withPort + " --label=mcp-gw.transport=sse"},
}
