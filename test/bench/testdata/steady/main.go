// steady is as small as a Go service gets: one goroutine that allocates so many
// bytes a second, once a second. At Go's smallest heap of 4 MiB, one MiB a
// second is a collection every few seconds.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"time"
)

var kept [64][]byte

func main() {
	bytesPerSecond := flag.Int("bytes-per-second", 1<<20, "allocated, in equal parts at each beat")
	collectEvery := flag.Duration("collect-every", 0, "besides, collect at this pace")
	beat := flag.Duration("beat", time.Second, "how often a part of it is allocated")
	pprof := flag.String("pprof", "", "address of /debug/pprof; empty for none")
	flag.Parse()
	if *pprof != "" {
		go func() { log.Fatal(http.ListenAndServe(*pprof, nil)) }()
	}
	// A service of a few millicores does not need all of the machine's.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	fmt.Println("ready")
	if *collectEvery > 0 {
		go collect(*collectEvery)
	}
	each := int(float64(*bytesPerSecond) * beat.Seconds() / float64(len(kept)))
	for range time.Tick(*beat) {
		for i := range kept {
			kept[i] = make([]byte, each)
		}
	}
}

func collect(every time.Duration) {
	for range time.Tick(every) {
		runtime.GC()
	}
}
