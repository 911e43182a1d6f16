// A program that allocates, so that the linker keeps the whole collector.
package main

import "os"

var keep [][]byte

func main() {
	for i := 0; i < 1000; i++ {
		keep = append(keep, make([]byte, 64<<10))
		if len(keep) > 100 {
			keep = nil
		}
	}
	os.Stdout.WriteString("done\n")
}
