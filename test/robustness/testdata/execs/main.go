// Execs is a Go program that collects every 10 ms until a line on stdin names the program to become.
package main

import (
	"bufio"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	go func() {
		for ; ; time.Sleep(10 * time.Millisecond) {
			runtime.GC()
		}
	}()
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return
	}
	words := strings.Fields(line)
	if err := syscall.Exec(words[0], words, os.Environ()); err != nil {
		panic(err)
	}
}
