//go:build release

package web

import _ "embed"

// A program that is given to others must have the application in it. With this tag
// the compiler refuses to make one without: 'make dashboard' first.
//
//go:embed dist/index.html
var _ string
