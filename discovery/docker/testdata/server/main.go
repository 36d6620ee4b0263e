// Command server is what the tests run in containers: it listens on the ports
// given as arguments and ends on SIGTERM. "exit" as an argument ends it at once.
package main

import (
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	for _, arg := range os.Args[1:] {
		if arg == "exit" {
			os.Exit(3)
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
