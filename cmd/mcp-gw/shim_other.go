//go:build !unix

package main

import (
	"os"
	"syscall"
)

// passed are the signals by which people tell a server something.
var passed = []os.Signal{syscall.SIGHUP}
