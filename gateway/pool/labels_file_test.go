package pool

import (
	"os"
	"strings"
	"testing"
)

// labels.md promises that it explains every code.
func TestLabelsFileExplainsTheCodes(t *testing.T) {
	text, err := os.ReadFile("../../labels.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n| "+codeUnequal+" | warning |") {
		t.Errorf("labels.md does not explain %s", codeUnequal)
	}
}
