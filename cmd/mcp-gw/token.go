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

// bearerFile takes the token from the file v. A line's end after it is not its part.
func bearerFile(dst *string, v string) error {
	if v == "" {
		*dst = ""
		return nil
	}
	f, err := os.Open(v)
	if err != nil {
		return fmt.Errorf("a file that can be read: %w", err)
	}
	defer f.Close() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxToken+2))
	if err != nil {
		return fmt.Errorf("a file that can be read: %w", err)
	}
	token := strings.TrimRight(string(text), "\r\n")
	if token == "" {
		return errors.New("a file that has the token, and it is empty")
	}
	if err := bearer(dst, token); err != nil {
		return fmt.Errorf("a file of %w", err)
	}
	return nil
}
