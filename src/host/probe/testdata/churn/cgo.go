//go:build cgocalls

package main

// #include <unistd.h>
// static void nap(void) { usleep(200); }
import "C"

import "time"

// A thread that is in C code more often than not: stopping the world must take its P away.
func init() {
	go func() {
		for {
			C.nap()
			time.Sleep(time.Microsecond)
		}
	}()
}
