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
	for code, severity := range map[string]string{codeLeftOut: "warning", codeCursor: "warning", codeLocalHost: "info",
		codeGarbage: "warning", codeRefused: "error", codeForeign: "warning"} {
		if !strings.Contains(string(text), "\n| "+code+" | "+severity+" |") {
			t.Errorf("labels.md does not explain %s", code)
		}
	}
}
