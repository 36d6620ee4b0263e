package upstream

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
	for _, code := range []string{codeLeftOut, codeCursor} {
		if !strings.Contains(string(text), "\n| "+code+" | warning |") {
			t.Errorf("labels.md does not explain %s", code)
		}
	}
}
