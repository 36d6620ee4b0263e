package discovery

import (
	"errors"
	"regexp"
	"slices"
)

// validName has no underscore, so that the "__" between backend and tool is found
// without doubt.
var validName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)

// reservedNames are kept for the gateway's own tools.
var reservedNames = []string{"gateway", "mcp-gw", "self"}

// CheckName says what is wrong with the name that a container gives its backend,
// or anybody a group. Registrations by REST have wider rules for their own names.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return errors.New("is not a name: 1 to 32 characters of a-z, 0-9 and -, no - at either end")
	}
	if slices.Contains(reservedNames, name) {
		return errors.New("is reserved for the gateway itself")
	}
	return nil
}

// MaxGroups bounds the groups that one backend belongs to.
const MaxGroups = 16

// Groups makes a set of names: sorted, each once, nil when there are none.
func Groups(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
