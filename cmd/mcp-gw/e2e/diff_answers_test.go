package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	resourceUpdated = "notifications/resources/updated"
	rootsChanged    = "notifications/roots/list_changed"
)

// changedOf is the notification that a list of this kind has changed.
func changedOf(kind string) string { return "notifications/" + kind + "/list_changed" }

// What capable clients answer; peers/capable.mjs answers alike.
const (
	theSample = `{"model":"the-model","role":"assistant","content":{"type":"text","text":"sampled \u2028 <&> 🎈"},"stopReason":"endTurn","_meta":{"example.com/s":1.5}}`
	theRoots  = `{"roots":[{"uri":"file:///srv/%C3%A9","name":"ünïcödé"},{"uri":"file:///srv/b"}]}`
)

// theCapabilities are those of raw clients.
const theCapabilities = `{"sampling":{},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}`

// answerTo is the text of the result for a request of the server.
func answerTo(method string, params []byte) string {
	switch method {
	case "sampling/createMessage":
		return theSample
	case "roots/list":
		return theRoots
	case "elicitation/create":
		message := str(params, "message")
		for _, other := range []string{"decline", "cancel"} {
			if strings.HasPrefix(message, other) {
				return fmt.Sprintf(`{"action":%q}`, other)
			}
		}
		if str(params, "mode") == "url" {
			return `{"action":"accept"}`
		}
		return `{"action":"accept","content":{` + fill(get(params, "requestedSchema", "properties")) + `}}`
	}
	return "{}"
}

// fill gives each property of a form the first value that its schema allows.
func fill(properties []byte) string {
	var content string
	list, _ := members(properties)
	for _, property := range list {
		content = join(content, fmt.Sprintf("%q:%s", property.key, firstValue(property.value)))
	}
	return content
}

func firstValue(schema []byte) string {
	if value := get(schema, "default"); value != nil {
		return string(value)
	}
	if first := firstOf(get(schema, "enum")); first != "" {
		return first
	}
	if first := firstOf(get(schema, "oneOf")); first != "" {
		return string(get([]byte(first), "const"))
	}
	switch str(schema, "type") {
	case "boolean":
		return "true"
	case "integer", "number":
		if least := get(schema, "minimum"); least != nil {
			return string(least)
		}
		return "7"
	case "array":
		items := get(schema, "items")
		if first := firstOf(get(items, "enum")); first != "" {
			return "[" + first + "]"
		}
		return "[" + string(get([]byte(firstOf(get(items, "anyOf"))), "const")) + "]"
	}
	switch str(schema, "format") {
	case "email":
		return `"a@example.com"`
	case "uri":
		return `"https://example.com/"`
	case "date":
		return `"2026-01-02"`
	case "date-time":
		return `"2026-01-02T03:04:05Z"`
	}
	return `"téxt"`
}

// firstOf is the text of an array's first element, "" where there is none.
func firstOf(array []byte) string {
	var list []json.RawMessage
	if json.Unmarshal(array, &list) != nil || len(list) == 0 {
		return ""
	}
	return string(list[0])
}
