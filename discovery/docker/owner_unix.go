//go:build unix

package docker

import (
	"io/fs"
	"syscall"
)

// owner returns the user and group that a file belongs to, -1 when not known.
func owner(info fs.FileInfo) (uid, gid int) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid), int(st.Gid)
	}
	return -1, -1
}
