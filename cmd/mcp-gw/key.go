package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// keyFile lies beside backends.json.
const keyFile = "gateway.key"

// loadKey answers the key that seals clients' session ids, from the folder of the
// configuration, where it is made on the first start. Without it all clients would
// have to begin anew after a restart of the gateway, which is an inconvenience and
// no reason not to start: what is wrong is told. A file that is no key is left as
// it is.
func loadKey(configPath string, log *slog.Logger) (key [32]byte) {
	path := filepath.Join(filepath.Dir(configPath), keyFile)
	text, err := os.ReadFile(path)
	if err == nil {
		raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err == nil && len(raw) == len(key) {
			copy(key[:], raw)
			return key
		}
		log.Warn("the key file is not 64 hex digits: a new key is used until the next start, and clients' sessions end with it; remove the file to have it made anew", "file", path)
		_, _ = rand.Read(key[:]) // never fails
		return key
	}
	_, _ = rand.Read(key[:])
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = renameio.WriteFile(path, []byte(hex.EncodeToString(key[:])+"\n"), 0o600)
		}
	}
	if err != nil {
		log.Warn("the key file cannot be kept: clients' sessions end with the next restart of the gateway", "file", path, "err", err)
	}
	return key
}
