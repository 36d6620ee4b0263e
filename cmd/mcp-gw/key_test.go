package main

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keep calls loadKey and answers what it said.
func keep(config string) (key [32]byte, said string) {
	var out bytes.Buffer
	return loadKey(config, slog.New(slog.NewTextHandler(&out, nil))), out.String()
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	config := filepath.Join(t.TempDir(), "not", "there", "yet", "backends.json")
	first, said := keep(config)
	if said != "" || first == [32]byte{} {
		t.Errorf("the first start: key %x, said %q", first, said)
	}
	path := filepath.Join(filepath.Dir(config), keyFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file: %v %v, want it for its owner alone", info, err)
	}
	before, _ := os.ReadFile(path)
	again, said := keep(config)
	after, _ := os.ReadFile(path)
	if again != first || said != "" || !bytes.Equal(before, after) {
		t.Errorf("the second start: another key (%v), said %q, another file (%v)", again != first, said, !bytes.Equal(before, after))
	}
	if other, _ := keep(filepath.Join(t.TempDir(), "backends.json")); other == first {
		t.Error("two gateways have the same key")
	}
}

// People put keys there by hand, and copy them between machines.
func TestKeyThatAPersonWrote(t *testing.T) {
	dir := t.TempDir()
	want := bytes.Repeat([]byte{0xAB}, 32)
	for _, text := range []string{hex.EncodeToString(want), strings.ToUpper(hex.EncodeToString(want)) + "\r\n", " " + hex.EncodeToString(want) + "\n\n"} {
		if err := os.WriteFile(filepath.Join(dir, keyFile), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		if key, said := keep(filepath.Join(dir, "backends.json")); !bytes.Equal(key[:], want) || said != "" {
			t.Errorf("of %q: key %x, said %q", text, key, said)
		}
		_ = os.Remove(filepath.Join(dir, keyFile))
	}
}

// What is no key may be somebody's something: it is named, and stays as it is.
func TestBrokenKeyFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, keyFile)
	for _, text := range []string{"", "hello", strings.Repeat("ab", 31), strings.Repeat("ab", 33), strings.Repeat("zz", 32)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		one, said := keep(filepath.Join(dir, "backends.json"))
		two, _ := keep(filepath.Join(dir, "backends.json"))
		if one == two || one == [32]byte{} {
			t.Errorf("of %q: the keys of two starts are %x and %x, want two random ones", text, one, two)
		}
		if !strings.Contains(said, path) || !strings.Contains(said, "remove the file") || len(text) > 20 && strings.Contains(said, text) {
			t.Errorf("of %q: said %q, want the file named, what to do, and not what is in it", text, said)
		}
		if now, _ := os.ReadFile(path); string(now) != text {
			t.Errorf("%q became %q", text, now)
		}
	}
}

// Where nothing can be kept, the gateway still has a key, and says what that means.
func TestFolderThatCannotKeepAKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, keyFile), 0o700); err != nil {
		t.Fatal(err)
	}
	configs := []string{
		filepath.Join(dir, "file", "backends.json"), // a file is no folder
		filepath.Join(dir, "backends.json"),         // the key file is a folder
		"/proc/mcp-gw/backends.json",                // nobody can write there, root neither
	}
	for _, config := range configs {
		one, said := keep(config)
		two, _ := keep(config)
		if one == two || one == [32]byte{} || !strings.Contains(said, "sessions end with the next restart") {
			t.Errorf("%s: keys %x and %x, said %q", config, one, two, said)
		}
	}
}
