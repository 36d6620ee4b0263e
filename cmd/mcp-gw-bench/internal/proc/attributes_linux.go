package proc

import "syscall"

// attributes gives a child a process group of its own, because an interrupt at
// the terminal is ours to handle, and ends it should this process be killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
