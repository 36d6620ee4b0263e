// Command server is what the tests run in containers: it listens on the ports
// given as arguments and ends on SIGTERM. "exit" as an argument ends it at once.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	for _, arg := range os.Args[1:] {
		switch arg {
		case "exit":
			os.Exit(3)
		case "stdio":
			echo()
			return
		}
		l, err := net.Listen("tcp", ":"+arg)
		if err != nil {
			panic(err)
		}
		go func() { panic(http.Serve(l, http.NotFoundHandler())) }()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
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
