package compose

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxEntries bounds what a file comes to with its aliases followed: aliases of aliases
// multiply, and a short file may stand for more than there is time for.
const maxEntries = 500_000

// checkSize refuses a file that comes to more than that, or that contains itself.
func checkSize(root *yaml.Node) error {
	sizes := map[*yaml.Node]int{}
	const open = -1
	var size func(n *yaml.Node) (int, error)
	size = func(n *yaml.Node) (int, error) {
		if n.Kind == yaml.AliasNode {
			if n.Alias == nil {
				return 1, nil
			}
			return size(n.Alias)
		}
		switch s, known := sizes[n]; {
		case known && s == open:
			return 0, fmt.Errorf("line %d: an alias leads to what contains itself", n.Line)
		case known:
			return s, nil
		}
		sizes[n] = open
		total := 1
		for _, c := range n.Content {
			s, err := size(c)
			if err != nil {
				return 0, err
			}
			if total += s; total > maxEntries {
				return 0, errTangled
			}
		}
		sizes[n] = total
		return total, nil
	}
	_, err := size(root)
	return err
}

var errTangled = fmt.Errorf("has more than %d entries, aliases followed", maxEntries)
