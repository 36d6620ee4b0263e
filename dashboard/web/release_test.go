package web

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release without the application does not compile; any other program does.
func TestNoReleaseWithoutTheApplication(t *testing.T) {
	index, err := filepath.Abs("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	// build compiles this package as if the file were there with that text, or not at
	// all.
	build := func(text string, flags ...string) (string, error) {
		replace := map[string]string{index: ""}
		if text != "" {
			replace[index] = filepath.Join(t.TempDir(), "index.html")
			if err := os.WriteFile(replace[index], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		overlay := filepath.Join(t.TempDir(), "overlay.json")
		spec, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(overlay, spec, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", append(append([]string{"build", "-overlay", overlay}, flags...), ".")...).CombinedOutput()
		return string(out), err
	}
	if out, err := build(""); err != nil {
		t.Errorf("without the application: %v\n%s", err, out)
	}
	if out, err := build("", "-tags", "release"); err == nil || !strings.Contains(out, "dist/index.html") {
		t.Errorf("a release without the application: %v\n%s", err, out)
	}
	if out, err := build("<!doctype html>", "-tags", "release"); err != nil {
		t.Errorf("a release with it: %v\n%s", err, out)
	}
}
