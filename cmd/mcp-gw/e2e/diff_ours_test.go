package e2e

import "fmt"

// operation is something that clients do, in one or more requests.
type operation struct {
	name  string
	steps []step
	// alone says that it makes no sense where other backends are beside this one.
	alone bool
	// legacy says that only the 2025 era has it.
	legacy bool
	// except names a client that cannot do it, by the beginning of its name.
	except string
}

// one is an operation of one request; params are the text of an object.
func one(name, method, params string) operation {
	return operation{name: name, steps: []step{{method: method, params: params}}}
}

// tool calls a tool; more, if there, changes the step.
func toolOp(name, tool, arguments string, more ...func(*step)) operation {
	o := one(name, "tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments))
	for _, change := range more {
		change(&o.steps[0])
	}
	return o
}

func reporting(s *step) { s.reports = true }

// logging wants messages of at least a level, and n of them.
func logging(level string, n int) func(*step) {
	return func(s *step) { s.level, s.logs = level, n }
}

func promptOp(name, prompt, arguments string) operation {
	return one(name, "prompts/get", fmt.Sprintf(`{"name":%q,"arguments":%s}`, prompt, arguments))
}

func readOp(name, uri string) operation {
	return one(name, "resources/read", fmt.Sprintf(`{"uri":%q}`, uri))
}

// complete asks for the values of an argument, ref being the text of an object.
func completeOp(name, ref, argument, value, more string) operation {
	return one(name, "completion/complete", fmt.Sprintf(`{"ref":%s,"argument":{"name":%q,"value":%q}%s}`, ref, argument, value, more))
}

func alone(o operation) operation {
	o.alone = true
	return o
}

func legacyOnly(o operation) operation {
	o.legacy = true
	return o
}

func except(client string, o operation) operation {
	o.except = client
	return o
}

var lists = []operation{
	one("tools_list", "tools/list", `{}`),
	one("prompts_list", "prompts/list", `{}`),
	one("resources_list", "resources/list", `{}`),
	one("resource_templates_list", "resources/templates/list", `{}`),
}

const (
	greet = `{"type":"ref/prompt","name":"greet"}`
	item  = `{"type":"ref/resource","uri":"mem://item/{id}"}`
)

// ourOperations are those of the servers in the folder peers: everything that a
// server of either era can have.
func ourOperations() []operation {
	return append(lists[:len(lists):len(lists)],
		toolOp("tool_echo", "echo", `{"value":9007199254740991,"x-1":[1.5,-0.25,null,"\u2028é🎈<&>"],"":{}}`),
		toolOp("tool_odd_content", "odd", `{}`),
		toolOp("tool_odd_numbers", "numbers", `{}`),
		toolOp("tool_is_error", "fail", `{}`),
		toolOp("tool_own_error_code", "refuse", `{}`),
		alone(toolOp("tool_unknown", "nosuch", `{}`)),
		toolOp("tool_whoami", "whoami", `{}`),
		one("tool_with_meta", "tools/call", `{"name":"meta","arguments":{},"_meta":{"claudecode/toolUseId":"toolu_1","example.com/x":[1.5,{}]}}`),
		one("tool_without_arguments", "tools/call", `{"name":"fail"}`),
		toolOp("tool_progress", "progress", `{"steps":5,"tag":"a"}`, reporting),
		toolOp("tool_log_all", "log", `{}`, logging("debug", 8)),
		toolOp("tool_log_some", "log", `{}`, logging("error", 4)),
		toolOp("tool_log_emergency", "log", `{}`, logging("emergency", 1)),

		toolOp("ask_sampling", "sample", `{"text":"é"}`),
		toolOp("ask_form_accept", "ask_form", `{"message":"fill it in"}`),
		toolOp("ask_form_decline", "ask_form", `{"message":"decline this"}`),
		toolOp("ask_form_cancel", "ask_form", `{"message":"cancel this"}`),
		toolOp("ask_url", "ask_url", `{}`),
		toolOp("ask_roots", "list_roots", `{}`),
		toolOp("ask_two_at_once", "ask_both", `{}`),
		toolOp("ask_two_in_turn", "ask_twice", `{}`),
		promptOp("ask_in_a_prompt", "ask", `{}`),
		readOp("ask_in_a_resource", "mem://ask"),

		promptOp("prompt_plain", "plain", `{}`),
		one("prompt_without_arguments", "prompts/get", `{"name":"plain"}`),
		promptOp("prompt_arguments", "greet", `{"who":"é\u2028 <&>","tone":"","city":"🎈"}`),
		promptOp("prompt_content", "rich", `{}`),
		promptOp("prompt_invalid", "greet", `{"tone":"x"}`),
		alone(promptOp("prompt_unknown", "nosuch", `{}`)),

		readOp("resource_text", "mem://a/text"),
		readOp("resource_blob", "mem://a/blob"),
		readOp("resource_many_contents", "mem://many"),
		readOp("resource_odd_uri", "mem://odd/%C3%A9%20x;y=1?q=a%2Fb&r=+#frag"),
		// The Go SDK's client puts the URI into a header as it is.
		except("Go SDK", readOp("resource_unicode_uri", "mem://host/ünï côdé/🎈")),
		readOp("resource_urn", "urn:example:a:b;c"),
		readOp("resource_of_template", "mem://item/7"),
		readOp("resource_of_path_template", "mem://path/a/b%20c?q=1&lang=%C3%A9"),
		alone(readOp("resource_missing", "mem://nosuch")),
		alone(readOp("resource_own_error_code", "mem://refused")),

		completeOp("complete_prompt", greet, "tone", "", ""),
		completeOp("complete_prompt_prefix", greet, "tone", "é", ""),
		completeOp("complete_prompt_context", greet, "city", "", `,"context":{"arguments":{"who":"\u2028é","tone":"1.0"}}`),
		completeOp("complete_template", item, "id", "", ""),
		completeOp("complete_template_context", item, "id", "", `,"context":{"arguments":{"other":"x"}}`),
	)
}

// sessionOperations are those that only a server with sessions has.
var sessionOperations = []operation{
	legacyOnly(toolOp("ask_url_completed", "ask_url", `{}`, logging("debug", 1))),
	legacyOnly(one("ping", "ping", `{}`)),
	legacyOnly(operation{name: "roots_changed", steps: []step{{method: rootsChanged, level: "debug", logs: 1}}}),
	toolOp("ask_ping", "ping_client", `{}`),
}
