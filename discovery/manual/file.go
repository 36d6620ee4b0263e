package manual

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// maxFile bounds backends.json, in bytes.
const maxFile = 10 << 20

// readFile returns the bytes of the file, and none when there is no file.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory, which Docker makes when the file that it shall mount does not exist: remove it, and mount the directory that holds the file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file") // a pipe would block us for ever
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return data, nil
}

// writeFile puts data in the file's place in one step: whoever reads it, and
// whatever is killed or loses its power meanwhile, finds the old file or the new
// one. Its mode is 0600, for it has secrets.
//
// A file that was mounted by itself cannot be replaced, only written to. Then
// inPlace is true, and there is a moment in which a crash would leave half of it.
func writeFile(path string, data []byte) (inPlace bool, err error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // there is no file yet
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	err = replace(target, data)
	// A mounted file is busy; the directory around it often cannot be written to.
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		if overwrite(target, data) == nil {
			return true, nil
		}
	}
	return false, err
}

func replace(target string, data []byte) error {
	dir := filepath.Dir(target)
	f, err := renameio.NewPendingFile(target, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot sync a directory; the rename stands all the same.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// overwrite writes into a file that exists. It is cut to length last, so that it
// never is empty.
func overwrite(target string, data []byte) error {
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(data))); err != nil {
		return err
	}
	return f.Sync()
}

// keepBroken copies the file beside itself and returns the copy's name. The file
// stays where it is until it is replaced.
func keepBroken(path string, now time.Time) (string, error) {
	stem := path + ".broken-" + now.UTC().Format("20060102T150405Z")
	var err error
	for i := range 100 {
		kept := stem
		if i > 0 {
			kept = fmt.Sprintf("%s-%d", stem, i)
		}
		if err = copyFile(path, kept); !errors.Is(err, fs.ErrExist) {
			return kept, err
		}
	}
	return "", err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// sweep removes what a process that was killed while it saved has left behind:
// it has secrets, and nobody reads it. Another process may be saving just now,
// so what is young stays.
func sweep(path string, now time.Time) {
	dir, prefix := filepath.Dir(path), "."+filepath.Base(path)
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		number, ours := strings.CutPrefix(f.Name(), prefix)
		if !ours || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) < time.Hour {
			continue
		}
		_ = os.Remove(filepath.Join(dir, f.Name())) // the next start tries again
	}
}
