// Hog takes memory as it is told, in the Go heap or in the page cache, and goes on allocating meanwhile, so that it collects.
//
// Requests are lines on stdin, or of the FIFO that is named as its argument: "anon MIB" (live heap from now on), "read FILE" (over and over,
// until "rest"), "rest".
// Every request is answered by one line on stdout once it has been carried out; "read" is answered at once.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const mib = 1 << 20

var (
	live    [][]byte
	sink    atomic.Pointer[[]byte]
	reading atomic.Bool
	readers = make(chan struct{}, 1)
)

// hold brings the live heap to so many MiB, every page of it touched.
func hold(count int) {
	for len(live) > count {
		live[len(live)-1] = nil
		live = live[:len(live)-1]
	}
	for len(live) < count {
		chunk := make([]byte, mib)
		for i := 0; i < mib; i += 4096 {
			chunk[i] = 1
		}
		live = append(live, chunk)
	}
}

// litter gives the collector something to do: some 4 MiB a second that die at once.
func litter() {
	for {
		garbage := make([]byte, 16<<10)
		sink.Store(&garbage)
		time.Sleep(4 * time.Millisecond)
	}
}

func read(path string) {
	defer func() { <-readers }()
	file, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer file.Close()
	buffer := make([]byte, 256<<10)
	for reading.Load() {
		if _, err := file.Read(buffer); err == io.EOF {
			file.Seek(0, io.SeekStart)
		}
	}
}

func main() {
	go litter()
	requests := os.Stdin
	if len(os.Args) > 1 {
		// For writing too: then it does not end when a writer does.
		fifo, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		requests = fifo
	}
	input := bufio.NewScanner(requests)
	for input.Scan() {
		words := strings.Fields(input.Text())
		switch words[0] {
		case "anon":
			count, _ := strconv.Atoi(words[1])
			hold(count)
		case "read":
			reading.Store(true)
			readers <- struct{}{}
			go read(words[1])
		case "rest":
			reading.Store(false)
			readers <- struct{}{}
			<-readers
		}
		fmt.Println("done", input.Text())
	}
}
