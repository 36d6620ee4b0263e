package docker

import (
	"cmp"
	"strings"

	"mcp-gw/discovery"
)

// setGroups reads names with commas between. One that cannot be used keeps the
// container out, like any name.
func setGroups(s *settings, _, value string) (string, error) {
	var names []string
	var wrong error
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if err := discovery.CheckName(name); err != nil {
			wrong = cmp.Or(wrong, err)
			if name = otherName(name); name == "" {
				continue
			}
		}
		names = append(names, name)
	}
	names = discovery.Groups(names)
	switch {
	case wrong != nil: // told without the name, which may be a secret
		return "", refuse(strings.Join(names[:min(len(names), discovery.MaxGroups)], ","), "has a group that %v", wrong)
	case names == nil:
		return "", refuse("", "names no group")
	case len(names) > discovery.MaxGroups:
		return "", refuse("", "names %d groups, and may name %d", len(names), discovery.MaxGroups)
	}
	s.groups = names
	return "", nil
}
