package procstat

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestOwnProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { child.Process.Kill(); child.Wait() }()
	tree := Tree(os.Getpid())
	if !slices.Contains(tree, os.Getpid()) || !slices.Contains(tree, child.Process.Pid) {
		t.Errorf("tree %v lacks %d or its child %d", tree, os.Getpid(), child.Process.Pid)
	}
	self := []int{os.Getpid()}
	if rss := RSS(self); rss < 1<<20 || rss > 1<<34 {
		t.Errorf("RSS %d bytes", rss)
	}
	// A tick is 10 ms: burn until some have passed.
	before := CPU(self)
	for end := time.Now().Add(10 * time.Second); CPU(self) < before+5*tick; {
		if time.Now().After(end) {
			t.Fatalf("CPU time stands at %s", CPU(self))
		}
	}
}

func TestGoneProcess(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if tree := Tree(child.Process.Pid); tree != nil {
		t.Errorf("tree of a process that ended: %v", tree)
	}
	if tree := Tree(0); tree != nil {
		t.Errorf("tree of 0: %v", tree)
	}
}
