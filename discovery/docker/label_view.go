package docker

import (
	"path"
	"regexp"
	"slices"
	"strconv"

	"mcp-gw/discovery"
)

var viewLabels = []label{
	{key: "tools.include", kind: "globs, with commas between", fallback: "`*`", example: "get_*,search", strict: true,
		doc: "Only these tools are shown, by their own names. At most 64 globs of `*`, `?` and `[a-z]`.", wrong: "has a pattern that is none", set: setInclude},
	{key: "tools.exclude", kind: "globs, with commas between", fallback: "none", example: "delete_*,drop_*", strict: true,
		doc: "These tools are not shown, also where `tools.include` names them.", wrong: "has a pattern that is none", set: setExclude},
	{key: "tools.rename.", member: "search", kind: "name of a tool", fallback: "its own name", example: "repo_search", strict: true,
		doc: "Shows the tool `<old>` under another name, behind the prefix. 1–64 characters of `A-Za-z0-9_-`, each name once.", wrong: "is not the name of a tool", set: setRename},
	{key: "tools.prefix", kind: "text, or `none`", fallback: "`<name>__`", example: "gh_", strict: true,
		doc: "What stands before the names of tools. At most 32 characters of `A-Za-z0-9_-`. `none` needs the gateway's `MCP_GW_ALLOW_UNPREFIXED`.", wrong: "is not a prefix", set: setPrefix},
	{key: "tools.read-only", kind: "`true` or `false`", fallback: "`false`", example: "true", strict: true,
		doc: "Only tools that their server marks as read-only (`readOnlyHint`) are shown.", wrong: "is neither true nor false", set: setReadOnly},
	{key: "prompts", kind: "`true` or `false`", fallback: "`true`", example: "false", strict: true,
		doc: "`false` shows none of its prompts.", wrong: "is neither true nor false", set: setPrompts},
	{key: "resources", kind: "`true` or `false`", fallback: "`true`", example: "false", strict: true,
		doc: "`false` shows none of its resources.", wrong: "is neither true nor false", set: setResources},
	{key: "groups", kind: "names, with commas between", fallback: "none", example: "dev,ops", strict: true,
		doc: "Groups that the backend belongs to, at most 16; names like those of `mcp-gw.name`. Each is an endpoint `/mcp/<group>` with its backends alone. `/mcp` has all of them anyway.", wrong: "has a group that is not a name", set: setGroups},
	{key: "depends-on", kind: "names of backends, with commas between", fallback: "none", example: "postgres", strict: true,
		doc: "It is shown only while all of these are connected.", wrong: "has a backend that is not a name", set: setDependsOn},
	{key: "priority", kind: "-1000–1000", fallback: "`0`", example: "10",
		doc: "Higher ones come first in lists.", wrong: "is not a number from -1000 to 1000", set: setPriority},
}

const (
	maxGlobs = 64
	maxGlob  = 128 // bytes
)

var (
	toolName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	toolPrefix = regexp.MustCompile(`^[A-Za-z0-9_-]{0,32}$`)
)

func setInclude(s *settings, _, value string) (_ string, err error) {
	s.shape.Include, err = globs(value)
	return "", err
}

func setExclude(s *settings, _, value string) (_ string, err error) {
	s.shape.Exclude, err = globs(value)
	return "", err
}

// globs reads patterns of tool names. An empty list is a mistake, because it can
// mean all as well as nothing.
func globs(value string) ([]string, error) {
	list := words(value)
	switch {
	case len(list) == 0:
		return nil, refuse("", "names no tool")
	case len(list) > maxGlobs:
		return nil, refuse("", "has %d patterns, and may have %d", len(list), maxGlobs)
	}
	for _, g := range list {
		if len(g) > maxGlob {
			return nil, refuse("", "has a pattern longer than %d bytes", maxGlob)
		}
		if _, err := path.Match(g, ""); err != nil {
			return nil, refuse("", "has a pattern that is none: * is any text, ? a character, [a-z] one of several")
		}
	}
	return list, nil
}

func setRename(s *settings, old, value string) (string, error) {
	switch {
	case len(old) > maxGlob:
		return "", refuse("", "names a tool longer than %d bytes", maxGlob)
	case !toolName.MatchString(value):
		return "", refuse("", "is not the name of a tool: 1 to 64 characters of A-Z, a-z, 0-9, _ and -")
	}
	for other, taken := range s.shape.Rename {
		if taken == value && other != old {
			return "", refuse("", "is the new name of another tool already")
		}
	}
	if s.shape.Rename == nil {
		s.shape.Rename = map[string]string{}
	}
	s.shape.Rename[old] = value
	return "", nil
}

func setPrefix(s *settings, _, value string) (string, error) {
	if value == "none" {
		value = ""
	}
	if !toolPrefix.MatchString(value) {
		return "", refuse("", "is not a prefix: at most 32 characters of A-Z, a-z, 0-9, _ and -")
	}
	s.shape.Prefix = &value
	return "", nil
}

func setReadOnly(s *settings, _, value string) (_ string, err error) {
	s.shape.ReadOnly, err = parseBool(value)
	return "", err
}

func setPrompts(s *settings, _, value string) (string, error) {
	on, err := parseBool(value)
	s.shape.NoPrompts = !on
	return "", err
}

func setResources(s *settings, _, value string) (string, error) {
	on, err := parseBool(value)
	s.shape.NoResources = !on
	return "", err
}

func setDependsOn(s *settings, _, value string) (string, error) {
	list := words(value)
	if len(list) == 0 {
		return "", refuse("", "names no backend")
	}
	if len(list) > maxNames {
		return "", refuse("", "names %d backends, and may name %d", len(list), maxNames)
	}
	for _, name := range list {
		if err := discovery.CheckName(name); err != nil {
			return "", refuse("", "has a backend that %v", err)
		}
	}
	slices.Sort(list)
	s.shape.DependsOn = slices.Compact(list)
	return "", nil
}

func setPriority(s *settings, _, value string) (_ string, err error) {
	s.shape.Priority, err = between(value, -1000, 1000, 0)
	return "", err
}

// between reads a number. usual is what holds when it is none.
func between(value string, low, high, usual int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return usual, refuse("", "is not a number from %d to %d", low, high)
	}
	return n, nil
}
