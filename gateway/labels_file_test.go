package gateway

import (
	"os"
	"strings"
	"testing"

	"mcp-gw/discovery"
)

// labels.md promises that it explains every code.
func TestLabelsFileExplainsTheCodes(t *testing.T) {
	text, err := os.ReadFile("../labels.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []discovery.Diagnostic{conflict(discovery.Backend{}, discovery.Backend{}), eclipsed("x"), unmatched("x", "y", 1, "")} {
		if !strings.Contains(string(text), "\n| "+d.Code+" | "+string(d.Severity)+" |") {
			t.Errorf("labels.md does not explain %s", d.Code)
		}
	}
}
