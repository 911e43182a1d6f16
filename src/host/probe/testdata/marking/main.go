// Marking maps and unmaps memory while cycles come and go, and tells when it did by the clock that the probe reads too:
// whoever knows when the cycles marked can tell which calls began then.
//
// Requests are lines on stdin: "map COUNT", "collect CYCLES" (one after the other, beside it), "leaks CYCLES" (the same, with
// cycles that resume marking: GOEXPERIMENT=goroutineleakprofile).
// Every request is answered by one JSON line on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

type node struct {
	next *node
	data [120]byte
}

// When calls began.
type answer struct {
	GrantedNs []int64 `json:"grantedNs"`
	RefusedNs []int64 `json:"refusedNs"`
}

var (
	live *node
	gate = make(chan *node)
	kept [][]byte
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func list(length int) *node {
	var head *node
	for range length {
		head = &node{next: head}
	}
	return head
}

// monotonicNs is CLOCK_MONOTONIC.
func monotonicNs() int64 {
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

// parked holds a list by its stack alone: a search for leaks reaches it only when marking is resumed.
func parked() {
	held := list(600_000)
	<-gate
	runtime.KeepAlive(held)
}

func mapWhile(goesOn func() bool) answer {
	reply := answer{GrantedNs: []int64{}, RefusedNs: []int64{}}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ; goesOn(); time.Sleep(20 * time.Microsecond) {
		start := monotonicNs()
		memory, err := syscall.Mmap(-1, 0, 1<<16, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		check(err)
		reply.GrantedNs = append(reply.GrantedNs, start)
		check(syscall.Munmap(memory))
		start = monotonicNs()
		if _, err := syscall.Mmap(-1, 0, 1<<48, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE); !errors.Is(err, syscall.ENOMEM) {
			panic(err)
		}
		reply.RefusedNs = append(reply.RefusedNs, start)
		kept = append(kept, make([]byte, 1<<14))
	}
	return reply
}

// beside maps while the work is done so many times, with a pause after each.
func beside(times int, work func()) answer {
	var ended atomic.Bool
	go func() {
		for range times {
			work()
			time.Sleep(30 * time.Millisecond)
		}
		ended.Store(true)
	}()
	return mapWhile(func() bool { return !ended.Load() })
}

func main() {
	live = list(200_000)
	go parked()
	output := json.NewEncoder(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		count, err := strconv.Atoi(words[1])
		check(err)
		switch words[0] {
		case "map":
			output.Encode(mapWhile(func() bool { count--; return count >= 0 }))
		case "collect":
			output.Encode(beside(count, runtime.GC))
		case "leaks":
			profile := pprof.Lookup("goroutineleak")
			output.Encode(beside(count, func() { check(profile.WriteTo(io.Discard, 0)) }))
		}
	}
	runtime.KeepAlive(live)
}
