// Command server is what the tests run in containers: it listens on the ports
// given as arguments and ends on SIGTERM. "exit" as an argument ends it at once,
// "slow=2s" lets it take that long to end, "late=2s" to listen. SIGHUP makes it ill,
// and well again; "check=8080" looks whether the one on that port is well. "stdio"
// answers lines instead.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	var ill atomic.Bool
	var slow time.Duration
	for _, arg := range os.Args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "exit":
			os.Exit(3)
		case "stdio":
			echo()
			return
		case "slow":
			slow = duration(value)
			continue
		case "late":
			time.Sleep(duration(value))
			continue
		case "check":
			check(value)
		}
		l, err := net.Listen("tcp", ":"+arg)
		if err != nil {
			panic(err)
		}
		go func() {
			panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if ill.Load() {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				w.WriteHeader(http.StatusNotFound)
			})))
		}()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	for s := range signals {
		if s != syscall.SIGHUP {
			break
		}
		ill.Store(!ill.Load())
	}
	time.Sleep(slow)
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

// check ends the process: with 1 where the server is ill.
func check(port string) {
	r, err := http.Get("http://127.0.0.1:" + port)
	if err != nil || r.StatusCode >= http.StatusInternalServerError {
		os.Stdout.WriteString("the server is ill\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// echo answers each line of the input with that line, and says on standard error how
// long it was.
func echo() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		fmt.Println(lines.Text())
		fmt.Fprintf(os.Stderr, "%d bytes\n", len(lines.Text()))
	}
}
