package docker

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"mcp-gw/discovery"
)

var basicLabels = []label{
	{key: "enable", kind: "`true` or `false`", fallback: "`true`, once any label is set", example: "true", strict: true,
		doc: "`false` keeps the container out.", wrong: "is neither true nor false", set: setEnable},
	{key: "name", kind: "name", fallback: "compose service, else swarm service, else container name", example: "github", strict: true,
		doc: "Prefix of the backend's tools (`github__search`). 1–32 characters of `a-z`, `0-9` and `-`, no `-` at either end.", wrong: "is not a name", set: setName},
	{key: "title", kind: "text, at most 80 characters", fallback: "what the server says", example: "GitHub",
		doc: "What people are shown instead of the name.", wrong: "is longer than 80 characters", set: setTitle},
	{key: "description", kind: "text, at most 500 characters", fallback: "what the server says", example: "Issues and pull requests",
		doc: "A sentence about the backend for people.", wrong: "is longer than 500 characters", set: setDescription},
	{key: "instance", kind: "names, with commas between", fallback: "every gateway", example: "prod", strict: true,
		doc: "Gateways that the container is for, by their `MCP_GW_INSTANCE`. Others list it as `other_instance`.", wrong: "has an instance that is not a name", set: setInstance},
}

const (
	maxTitle       = 80
	maxDescription = 500
	maxNames       = 32 // in a list of names
)

func setEnable(s *settings, _, value string) (string, error) {
	v, err := parseBool(value)
	s.enabled = v
	return "", err
}

func parseBool(value string) (bool, error) {
	switch lowerASCII(value) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	case "yes", "on", "y", "enabled":
		return false, refuse("true", "is neither true nor false")
	case "no", "off", "n", "disabled":
		return false, refuse("false", "is neither true nor false")
	}
	return false, refuse("", "is neither true nor false")
}

func setName(s *settings, _, value string) (string, error) {
	if err := checkName(value); err != nil {
		return "", err
	}
	s.name = value
	return "", nil
}

func setTitle(s *settings, _, value string) (_ string, err error) {
	s.shape.Title, err = prose(value, maxTitle)
	return "", err
}

func setDescription(s *settings, _, value string) (_ string, err error) {
	s.shape.Description, err = prose(value, maxDescription)
	return "", err
}

// prose is text for people, in one line.
func prose(value string, most int) (string, error) {
	switch {
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", refuse("", "has a line break or a character that cannot be printed")
	case utf8.RuneCountInString(value) > most:
		return "", refuse("", "is longer than %d characters", most)
	}
	return value, nil
}

func setInstance(s *settings, _, value string) (_ string, err error) {
	s.instances, err = nameSet(value, "instance", maxNames)
	return "", err
}

func setGroups(s *settings, _, value string) (_ string, err error) {
	s.groups, err = nameSet(value, "group", discovery.MaxGroups)
	return "", err
}

func article(what string) string {
	if strings.ContainsAny(what[:1], "aeiou") {
		return "an " + what
	}
	return "a " + what
}

// nameSet reads names with commas between, as a set. One that cannot be used makes
// all of them unusable, like any name.
func nameSet(value, what string, most int) ([]string, error) {
	var list []string
	var wrong error
	for _, name := range words(value) {
		if err := discovery.CheckName(name); err != nil {
			wrong = cmp.Or(wrong, err)
			if name = otherName(name); name == "" {
				continue
			}
		}
		list = append(list, name)
	}
	list = discovery.Groups(list)
	switch {
	case wrong != nil: // told without the name, which may be a secret
		return nil, refuse(strings.Join(list[:min(len(list), most)], ","), "has %s that %v", article(what), wrong)
	case list == nil:
		return nil, refuse("", "names no %s", what)
	case len(list) > most:
		return nil, refuse("", "names %d %ss, and may name %d", len(list), what, most)
	}
	return list, nil
}
