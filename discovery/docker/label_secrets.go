package docker

import (
	"regexp"
	"strings"
)

var secretLabels = []label{
	{key: "auth", kind: "`none`, `bearer`, `basic` or `header`", fallback: "`none`", example: "bearer", strict: true,
		doc: "How the secret of `auth.secret` becomes the header `Authorization`: behind `Bearer `, as the `user:password` of `Basic`, or `header` as it is.", wrong: "is none of none, bearer, basic, header", set: setAuth},
	{key: "auth.secret", kind: "name of a secret", fallback: "none", example: "github_token", strict: true,
		doc: "The name of a file in the gateway's `MCP_GW_SECRETS_DIR`, never the secret itself. Granted, see below.", wrong: "is not the name of a secret", set: setAuthSecret},
	{key: "secret-headers.", member: "X-Api-Key", kind: "name of a secret", fallback: "none", example: "exa_key", strict: true,
		doc: "Sends the secret of that name as header `<Name>`. Granted, see below.", wrong: "is not the name of a secret", set: setSecretHeader},
}

const (
	authNone   = "none"
	authBearer = "bearer"
	authBasic  = "basic"
	authHeader = "header"
)

var secretName = regexp.MustCompile(`^[a-z0-9_-][a-z0-9_.-]{0,63}$`)

func setAuth(s *settings, _, value string) (_ string, err error) {
	s.auth, err = oneOf(value, authNone, authBearer, authBasic, authHeader)
	return "", err
}

func setAuthSecret(s *settings, _, value string) (string, error) {
	if !secretName.MatchString(value) {
		return "", refuse("", "is not the name of a secret: 1 to 64 characters of a-z, 0-9, _, . and -")
	}
	s.authSecret = value
	return "", nil
}

func setSecretHeader(s *settings, rest, value string) (string, error) {
	header, err := checkHeader(rest, "")
	if err != nil {
		return "", err
	}
	if !secretName.MatchString(value) {
		return "", refuse("", "is not the name of a secret: 1 to 64 characters of a-z, 0-9, _, . and -")
	}
	if s.secretHeaders == nil {
		s.secretHeaders = map[string]string{}
	}
	s.secretHeaders[header] = value
	return "", nil
}

// namesSecret reports whether a label's value is the name of a secret. key is
// lower case, without prefix and backend.
func namesSecret(key string) bool {
	return key == "auth.secret" || strings.HasPrefix(key, "secret-headers.")
}
