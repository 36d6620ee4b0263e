package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// tokenForm is what may be a bearer token (RFC 6750, section 2.1). Fewer characters
// could be tried one after the other.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]{16,}=*$`)

const maxToken = 4096

var errTokenForm = fmt.Errorf("16 to %d letters, digits and -._~+/, with = at the end only, such as openssl rand -hex 24 prints", maxToken)

func bearer(dst *string, v string) error {
	if v != "" && (len(v) > maxToken || !tokenForm.MatchString(v)) {
		return errTokenForm
	}
	*dst = v
	return nil
}

// secret is the token, "" for none. Its file is read by who needs it, and by nobody else:
// a health check does not fail because it was taken away since.
func (c config) secret() (string, error) {
	if c.TokenFile == "" {
		return c.Token, nil
	}
	token, err := readToken(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("MCP_GW_TOKEN_FILE=%s: expected %w", c.TokenFile, err)
	}
	return token, nil
}

// readToken reads a token from a file. A line's end after it is not its part.
func readToken(path string) (token string, _ error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("a file that can be read: %w", err)
	}
	defer f.Close() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxToken+2))
	if err != nil {
		return "", fmt.Errorf("a file that can be read: %w", err)
	}
	given := strings.TrimRight(string(text), "\r\n")
	if given == "" {
		return "", errors.New("a file that has the token, and it is empty")
	}
	if err := bearer(&token, given); err != nil {
		return "", fmt.Errorf("a file of %w", err)
	}
	return token, nil
}
