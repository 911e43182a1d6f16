// Periodic has a runtime that forces a cycle after two seconds without one, not after two minutes. It prints what the
// period was before, collects, and then allocates until the heap has triggered a cycle, once for each line on stdin.
// The linker lets it: -ldflags=-checklinkname=0, since Go 1.23.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	_ "unsafe"
)

//go:linkname forcegcperiod runtime.forcegcperiod
var forcegcperiod int64

var sink []byte

func cycles() int64 {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	return stats.NumGC
}

func main() {
	fmt.Println(forcegcperiod)
	forcegcperiod = 2e9
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	runtime.GC()
	for input.Scan() {
		for before := cycles(); cycles() == before; {
			for range [64]struct{}{} {
				sink = make([]byte, 1<<14)
			}
		}
		fmt.Println(cycles())
	}
}
