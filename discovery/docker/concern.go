package docker

import "strings"

// Concerns reports whether a label key is meant for the gateway, or looks as if
// it was. It is the cheap question before a container is looked at; the proxy in
// front of the engine's socket asks the same, so that both see the same containers.
func Concerns(prefix, key string) bool {
	if strings.HasPrefix(strings.ToLower(key), prefix+".") {
		return true
	}
	_, near := nearMiss(prefix, key)
	return near
}
