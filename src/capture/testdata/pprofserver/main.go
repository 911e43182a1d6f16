// Serves net/http/pprof under a load that leaves traces in every profile: allocation, retained heap, contended locks,
// parked goroutines. Prints its address, then runs until its stdin closes.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

var retained [][]byte

//go:noinline
func allocateMessage() []byte { return make([]byte, 1200) }

//go:noinline
func contend(lock *sync.Mutex) {
	lock.Lock()
	time.Sleep(200 * time.Microsecond)
	lock.Unlock()
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	parked := flag.Int("goroutines", 100, "goroutines that only wait")
	writeTimeout := flag.Duration("write-timeout", 0, "WriteTimeout of the server")
	flag.Parse()
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)

	for i := 0; i < 20000; i++ {
		retained = append(retained, allocateMessage())
	}
	forever := make(chan struct{})
	for i := 0; i < *parked; i++ {
		go func() { <-forever }()
	}
	var lock sync.Mutex
	for i := 0; i < 2; i++ {
		go func() {
			for {
				for j := 0; j < 200; j++ {
					retained[j] = allocateMessage()
				}
				contend(&lock)
			}
		}()
	}

	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	server := &http.Server{WriteTimeout: *writeTimeout}
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	os.Exit(1)
}
