package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// tool returns the i-th tool of a catalogue, encoded: echo, sleep, then
// variations on a few shapes taken from what real servers publish, about a
// kilobyte each.
func tool(i int) []byte {
	var text string
	switch i {
	case 0:
		text = `{"name":"echo","description":"Return the message as it came.","inputSchema":{"type":"object","properties":{"message":{"type":"string","description":"Text to return"}},"required":["message"]}}`
	case 1:
		text = `{"name":"sleep","description":"Wait, then answer.","inputSchema":{"type":"object","properties":{"ms":{"type":"integer","minimum":0,"description":"Milliseconds to wait"}},"required":["ms"]}}`
	default:
		text = fmt.Sprintf(shapes[i%len(shapes)], i)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Each shape takes one number, which makes its name unique.
var shapes = []string{
	`{"name":"search_issues_%03d","title":"Search issues",
	"description":"Search for issues and pull requests in the repositories that the caller may read. Uses the search syntax of the web interface (for example: is:open label:bug sort:updated-desc). Returns at most perPage matches with title, number, state, labels, assignees and a link each.",
	"inputSchema":{"type":"object","properties":{
	"query":{"type":"string","description":"Search expression, in the syntax of the web interface's search field"},
	"owner":{"type":"string","description":"Owner of the repository; with repo, limits the search to it"},
	"repo":{"type":"string","description":"Name of the repository"},
	"sort":{"type":"string","enum":["comments","reactions","reactions-+1","interactions","created","updated"],"description":"Field to sort by; best match when left out"},
	"order":{"type":"string","enum":["asc","desc"],"default":"desc"},
	"page":{"type":"number","minimum":1,"description":"Page to return"},
	"perPage":{"type":"number","minimum":1,"maximum":100,"description":"Matches a page"}},
	"required":["query"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"},
	"annotations":{"title":"Search issues","readOnlyHint":true,"openWorldHint":true}}`,

	`{"name":"run_sql_%03d",
	"description":"Run one read-only SQL statement against the connected database and return the rows as JSON. The statement is refused when it changes data or schema. Long results are cut at max_rows; the answer says when that happened.",
	"inputSchema":{"type":"object","properties":{
	"database":{"type":"string","description":"Name of the database, as list_databases shows it"},
	"sql":{"type":"string","minLength":1,"description":"A single SELECT, WITH or EXPLAIN statement"},
	"params":{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"null"}]},"description":"Values for the statement's placeholders"},
	"max_rows":{"type":"integer","minimum":1,"maximum":10000,"default":500},
	"timeout_ms":{"type":"integer","minimum":1,"default":30000}},
	"required":["database","sql"]},
	"outputSchema":{"type":"object","properties":{"columns":{"type":"array","items":{"type":"string"}},"rows":{"type":"array","items":{"type":"array"}},"truncated":{"type":"boolean"}},"required":["columns","rows"]},
	"annotations":{"readOnlyHint":true,"idempotentHint":true}}`,

	`{"name":"edit_file_%03d",
	"description":"Make line-based edits to a text file. Each edit replaces an exact sequence of lines with new text. Returns a diff in the style of git that shows what changed. Works only inside the allowed directories.",
	"inputSchema":{"type":"object","properties":{
	"path":{"type":"string"},
	"edits":{"type":"array","items":{"type":"object","properties":{
	"oldText":{"type":"string","description":"Text to look for; must match exactly"},
	"newText":{"type":"string","description":"Text to put in its place"}},
	"required":["oldText","newText"],"additionalProperties":false}},
	"dryRun":{"type":"boolean","default":false,"description":"Show the changes in the style of git diff, write nothing"}},
	"required":["path","edits"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"},
	"annotations":{"readOnlyHint":false,"destructiveHint":true,"idempotentHint":false}}`,

	`{"name":"create_event_%03d","title":"Create calendar event",
	"description":"Create an event in a calendar and invite people to it. Times are RFC 3339 with an offset; an all-day event has dates instead. Conflicts are reported, and prevent the event only when fail_on_conflict is set.",
	"inputSchema":{"type":"object","properties":{
	"calendar_id":{"type":"string","default":"primary","description":"Calendar to write to"},
	"summary":{"type":"string","maxLength":1024},
	"location":{"type":"string"},
	"start":{"$ref":"#/$defs/moment"},"end":{"$ref":"#/$defs/moment"},
	"attendees":{"type":"array","maxItems":200,"items":{"type":"object","properties":{"email":{"type":"string","format":"email"},"optional":{"type":"boolean"}},"required":["email"]}},
	"recurrence":{"type":"array","items":{"type":"string","pattern":"^(RRULE|EXDATE):"},"description":"RFC 5545 lines"},
	"fail_on_conflict":{"type":"boolean","default":false}},
	"required":["summary","start","end"],
	"$defs":{"moment":{"oneOf":[{"type":"object","properties":{"dateTime":{"type":"string","format":"date-time"},"timeZone":{"type":"string"}},"required":["dateTime"]},{"type":"object","properties":{"date":{"type":"string","format":"date"}},"required":["date"]}]}}}}`,

	`{"name":"browser_click_%03d",
	"description":"Click an element on the page. Take a snapshot of the page first: it has the element's reference.",
	"inputSchema":{"type":"object","properties":{
	"element":{"type":"string","description":"What the element is, in words, for asking permission to touch it"},
	"ref":{"type":"string","description":"Exact reference of the element, from the page snapshot"},
	"doubleClick":{"type":"boolean","description":"Whether to click twice"},
	"button":{"type":"string","enum":["left","right","middle"],"description":"Mouse button, left when left out"},
	"modifiers":{"type":"array","items":{"type":"string","enum":["Alt","Control","ControlOrMeta","Meta","Shift"]},"description":"Keys to hold down"}},
	"required":["element","ref"],"additionalProperties":false},
	"annotations":{"title":"Click","readOnlyHint":false,"destructiveHint":true,"openWorldHint":true}}`,

	`{"name":"query_metrics_%03d",
	"description":"Evaluate an expression of the monitoring system's query language over a range of time and return the series. Choose a step that gives at most 11000 points a series. Use list_metrics and list_label_values to learn what there is before you guess a name.",
	"inputSchema":{"type":"object","properties":{
	"expr":{"type":"string","description":"Query expression, for example: sum by (job) (rate(http_requests_total[5m]))"},
	"start":{"type":"string","description":"Start: RFC 3339, Unix seconds, or relative to now (now-1h)"},
	"end":{"type":"string","description":"End, in the same forms","default":"now"},
	"step":{"type":"string","pattern":"^[0-9]+(ms|s|m|h|d)$","default":"60s"},
	"datasource":{"type":"string","description":"Data source identifier"},
	"limit":{"type":"integer","minimum":1,"maximum":5000,"default":100}},
	"required":["expr","start"]},
	"outputSchema":{"type":"object","properties":{"series":{"type":"array","items":{"type":"object","properties":{"labels":{"type":"object","additionalProperties":{"type":"string"}},"points":{"type":"array","items":{"type":"array","items":{"type":"number"}}}}}}}}}`,
}
