package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// everythingOperations are those of server-everything.
func everythingOperations() []operation {
	const (
		team     = `{"type":"ref/prompt","name":"completable-prompt"}`
		resource = `{"type":"ref/prompt","name":"resource-prompt"}`
		dynamic  = `{"type":"ref/resource","uri":"demo://resource/dynamic/text/{resourceId}"}`
	)
	zipped := toolOp("session_resource", "gzip-file-as-resource", `{"name":"a.gz","data":"data:text/plain,hello","outputType":"resourceLink"}`)
	const text1 = `{"uri":"demo://resource/dynamic/text/1"}`
	spoken := func(method, params string, logs int) step {
		return step{method: method, params: params, level: "debug", logs: logs}
	}
	toggle := func(what string, logs int) step {
		return spoken("tools/call", fmt.Sprintf(`{"name":%q,"arguments":{}}`, what), logs)
	}
	zipped.steps = append(zipped.steps, step{method: "resources/read", params: `{"uri":"demo://resource/session/a.gz"}`})
	return append(lists[:len(lists):len(lists)],
		toolOp("tool_echo", "echo", `{"message":"\u2028é🎈<&>"}`),
		toolOp("tool_get_sum", "get-sum", `{"a":0.1,"b":0.2}`),
		toolOp("tool_invalid_arguments", "get-sum", `{"a":"not a number"}`),
		toolOp("tool_get_env", "get-env", `{}`),
		toolOp("tool_tiny_image", "get-tiny-image", `{}`),
		toolOp("tool_annotated_error", "get-annotated-message", `{"messageType":"error","includeImage":true}`),
		toolOp("tool_annotated_debug", "get-annotated-message", `{"messageType":"debug"}`),
		toolOp("tool_structured", "get-structured-content", `{"location":"New York"}`),
		toolOp("tool_resource_links", "get-resource-links", `{"count":5}`),
		toolOp("tool_resource_text", "get-resource-reference", `{"resourceType":"Text","resourceId":3}`),
		toolOp("tool_resource_blob", "get-resource-reference", `{"resourceType":"Blob","resourceId":3}`),
		toolOp("tool_gzip_resource", "gzip-file-as-resource", `{"name":"b.gz","data":"data:text/plain,hello","outputType":"resource"}`),
		toolOp("tool_progress", "trigger-long-running-operation", `{"duration":0.1,"steps":4}`, reporting),
		// The TypeScript SDK 1.x refuses this call by itself, in the name it knows.
		alone(toolOp("tool_task_required", "simulate-research-query", `{"topic":"x"}`)),
		alone(toolOp("tool_unknown", "nosuch", `{}`)),

		toolOp("ask_sampling", "trigger-sampling-request", `{"prompt":"é\u2028","maxTokens":7}`),
		toolOp("ask_form", "trigger-elicitation-request", `{}`),
		toolOp("ask_url", "trigger-url-elicitation", `{"url":"https://example.com/?a=1&b=%2F","elicitationId":"the-id"}`),
		legacyOnly(toolOp("ask_url_by_error", "trigger-url-elicitation", `{"url":"https://example.com/","elicitationId":"by-error","errorPath":true}`)),
		toolOp("ask_roots", "get-roots-list", `{}`),

		promptOp("prompt_simple", "simple-prompt", `{}`),
		promptOp("prompt_args", "args-prompt", `{"city":"Zürich","state":"\u2028"}`),
		promptOp("prompt_get_complex", "resource-prompt", `{"resourceType":"Blob","resourceId":"7"}`),
		promptOp("prompt_resource_text", "resource-prompt", `{"resourceType":"Text","resourceId":"7"}`),
		promptOp("prompt_completable", "completable-prompt", `{"department":"Sales","name":"Eve"}`),
		promptOp("prompt_missing_argument", "args-prompt", `{"state":"x"}`),
		promptOp("prompt_invalid_argument", "resource-prompt", `{"resourceType":"Nope","resourceId":"7"}`),

		readOp("resource_document", "demo://resource/static/document/instructions.md"),
		readOp("resource_large_document", "demo://resource/static/document/features.md"),
		readOp("resource_dynamic_text", "demo://resource/dynamic/text/5"),
		readOp("resource_dynamic_blob", "demo://resource/dynamic/blob/5"),
		readOp("resource_of_template_invalid", "demo://resource/dynamic/text/zero"),
		alone(readOp("resource_missing", "demo://nosuch")),
		zipped,
		legacyOnly(operation{name: "session_updates", steps: []step{
			spoken("resources/subscribe", text1, 1),
			toggle("toggle-subscriber-updates", 1), toggle("toggle-subscriber-updates", 0),
			spoken("resources/unsubscribe", text1, 1),
		}}),
		legacyOnly(operation{name: "session_logging", steps: []step{
			toggle("toggle-simulated-logging", 1), toggle("toggle-simulated-logging", 0),
		}}),

		completeOp("complete_prompt", team, "department", "", ""),
		completeOp("complete_prompt_prefix", team, "department", "S", ""),
		completeOp("complete_prompt_context", team, "name", "", `,"context":{"arguments":{"department":"Support"}}`),
		completeOp("complete_prompt_resource", resource, "resourceId", "12", ""),
		completeOp("complete_template", dynamic, "resourceId", "12", ""),
		completeOp("complete_template_none", dynamic, "resourceId", "x", ""),
	)
}

// memoryOperations leave the graph as they found it.
func memoryOperations() []operation {
	graph := operation{name: "graph"}
	for _, s := range [][2]string{
		{"create_entities", `{"entities":[{"name":"é\u2028","entityType":"<&>","observations":["🎈","1.0"]},{"name":"b","entityType":"t","observations":[]}]}`},
		{"create_relations", `{"relations":[{"from":"é\u2028","to":"b","relationType":"knows"}]}`},
		{"add_observations", `{"observations":[{"entityName":"b","contents":["new"]}]}`},
		{"read_graph", `{}`},
		{"search_nodes", `{"query":"🎈"}`},
		{"open_nodes", `{"names":["b","nosuch"]}`},
		{"delete_observations", `{"deletions":[{"entityName":"b","observations":["new"]}]}`},
		{"delete_relations", `{"relations":[{"from":"é\u2028","to":"b","relationType":"knows"}]}`},
		{"delete_entities", `{"entityNames":["é\u2028","b"]}`},
		{"read_graph", `{}`},
	} {
		graph.steps = append(graph.steps, toolOp("", s[0], s[1]).steps...)
	}
	return []operation{
		lists[0], graph,
		toolOp("tool_error", "add_observations", `{"observations":[{"entityName":"nosuch","contents":["x"]}]}`),
		toolOp("tool_invalid_arguments", "create_entities", `{"entities":"none"}`),
		alone(toolOp("tool_unknown", "nosuch", `{}`)),
	}
}

// filesystemOperations leave dir as they found it.
func filesystemOperations(t *testing.T, dir string) []operation {
	for name, content := range map[string]string{
		"a.txt": "first\nsecond é\u2028 🎈\n", "sub/b.md": "# b\n", "empty": "",
		"c.png": "\x89PNG\r\n\x1a\n\x00\x01",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name, more string) string {
		return fmt.Sprintf(`{"path":%q%s}`, filepath.Join(dir, name), more)
	}
	move := func(from, to string) step {
		return toolOp("", "move_file", fmt.Sprintf(`{"source":%q,"destination":%q}`, filepath.Join(dir, from), filepath.Join(dir, to))).steps[0]
	}
	return []operation{
		lists[0],
		toolOp("read_text_file", "read_text_file", in("a.txt", "")),
		toolOp("read_head", "read_text_file", in("a.txt", `,"head":1`)),
		toolOp("read_media_file", "read_media_file", in("c.png", "")),
		toolOp("read_multiple_files", "read_multiple_files", fmt.Sprintf(`{"paths":[%q,%q]}`, filepath.Join(dir, "a.txt"), filepath.Join(dir, "nosuch"))),
		toolOp("write_file", "write_file", in("w.txt", `,"content":"é\u2028"`)),
		toolOp("edit_dry_run", "edit_file", in("a.txt", `,"edits":[{"oldText":"first","newText":"1st"}],"dryRun":true`)),
		toolOp("create_directory", "create_directory", in("made/deep", "")),
		toolOp("list_directory", "list_directory", in("", "")),
		toolOp("list_directory_with_sizes", "list_directory_with_sizes", in("", `,"sortBy":"size"`)),
		toolOp("directory_tree", "directory_tree", in("", "")),
		{name: "move_file", steps: []step{move("empty", "moved"), move("moved", "empty")}},
		toolOp("search_files", "search_files", in("", `,"pattern":"**/*.md"`)),
		toolOp("get_file_info", "get_file_info", in("sub/b.md", "")),
		toolOp("list_allowed_directories", "list_allowed_directories", `{}`),
		toolOp("read_outside", "read_text_file", `{"path":"/etc/hostname"}`),
		toolOp("read_missing", "read_text_file", in("nosuch", "")),
	}
}

// conformanceOperations are those that both Go SDKs' conformance servers have.
func conformanceOperations() []operation {
	return append(lists[:len(lists):len(lists)],
		toolOp("tool_text", "test_simple_text", `{}`),
		toolOp("tool_image", "test_image_content", `{}`),
		toolOp("tool_audio", "test_audio_content", `{}`),
		toolOp("tool_embedded_resource", "test_embedded_resource", `{}`),
		toolOp("tool_mixed_content", "test_multiple_content_types", `{}`),
		toolOp("tool_error", "test_error_handling", `{}`),
		alone(toolOp("tool_unknown", "nosuch", `{}`)),
		toolOp("ask_sampling", "test_sampling", `{"prompt":"é\u2028"}`),
		toolOp("ask_form", "test_elicitation", `{"message":"é\u2028"}`),
		toolOp("ask_form_defaults", "test_elicitation_sep1034_defaults", `{}`),
		// The Go SDK's client refuses this form, and how is the era's.
		except("Go SDK", toolOp("ask_form_enums", "test_elicitation_sep1330_enums", `{}`)),
		promptOp("prompt_simple", "test_simple_prompt", `{}`),
		promptOp("prompt_arguments", "test_prompt_with_arguments", `{"arg1":"é\u2028","arg2":"<&>"}`),
		promptOp("prompt_embedded_resource", "test_prompt_with_embedded_resource", `{"resourceUri":"test://é"}`),
		promptOp("prompt_image", "test_prompt_with_image", `{}`),
		alone(promptOp("prompt_unknown", "nosuch", `{}`)),
		readOp("resource_text", "test://static-text"),
		readOp("resource_blob", "test://static-binary"),
		readOp("resource_of_template", "test://template/7/data"),
		alone(readOp("resource_missing", "test://nosuch")),
	)
}

// goSDKOperations are those that the Go SDK's server has beside. With sessions it
// cannot ask in two rounds: it answers the second with what the 2025 era has not.
func goSDKOperations(modern bool) []operation {
	list := append(conformanceOperations(),
		// mcp-go loses some of these messages by itself.
		toolOp("tool_progress", "test_tool_with_progress", `{}`, reporting),
		toolOp("tool_logging", "test_tool_with_logging", `{}`, logging("debug", 3)),
		toolOp("tool_schema_2020_12", "json_schema_2020_12_tool", `{"name":"x","email":"a@example.com"}`),
		toolOp("tool_schema_2020_12_invalid", "json_schema_2020_12_tool", `{"name":"x"}`),
		toolOp("tool_param_header", "test_x_mcp_header", `{"region":"eu-1","level":3}`, func(s *step) {
			s.headers = map[string]string{"Mcp-Param-Region": "eu-1"}
		}),
		toolOp("tool_param_header_encoded", "test_x_mcp_header", `{"region":"é","level":3}`, func(s *step) {
			s.headers = map[string]string{"Mcp-Param-Region": headerText("é")}
		}),
		toolOp("tool_wants_sampling", "test_missing_capability", `{}`),
		completeOp("complete_prompt", `{"type":"ref/prompt","name":"test_prompt_with_arguments"}`, "arg1", "x", ""),
	)
	for _, kind := range []string{"elicitation", "sampling", "list_roots", "request_state", "multiple_inputs", "multi_round", "tampered_state", "capabilities"} {
		if kind == "multi_round" && !modern {
			continue
		}
		list = append(list, toolOp("input_required_"+kind, "test_input_required_result_"+kind, `{}`))
	}
	return append(list, promptOp("input_required_prompt", "test_input_required_result_prompt", `{}`))
}
