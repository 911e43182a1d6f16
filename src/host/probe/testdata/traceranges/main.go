// Traceranges prints the ranges of an execution trace that stop the world or assist the collector, one JSON object a line,
// with their edges on the clock that the trace's own snapshots join it to: CLOCK_MONOTONIC.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strings"

	"golang.org/x/exp/trace"
)

type span struct {
	Name    string `json:"name"`
	G       int64  `json:"g"`
	StartNs int64  `json:"startNs"`
	EndNs   int64  `json:"endNs"`
}

type key struct {
	name string
	g    trace.GoID
}

func main() {
	reader, err := trace.NewReader(bufio.NewReaderSize(os.Stdin, 1<<20))
	if err != nil {
		log.Fatal(err)
	}
	output := json.NewEncoder(os.Stdout)
	began := map[key]int64{}
	var toMono int64
	joined := false
	for {
		event, err := reader.ReadEvent()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		switch event.Kind() {
		case trace.EventSync:
			if clocks := event.Sync().ClockSnapshot; clocks != nil {
				toMono = int64(clocks.Mono) - int64(clocks.Trace)
				joined = true
			}
		case trace.EventRangeBegin, trace.EventRangeEnd:
			name := event.Range().Name
			if name != "GC mark assist" && !strings.HasPrefix(name, "stop-the-world") {
				continue
			}
			if !joined {
				log.Fatal("the trace has no clock snapshot before its first range")
			}
			at := int64(event.Time()) + toMono
			id := key{name, event.Goroutine()}
			if event.Kind() == trace.EventRangeBegin {
				began[id] = at
			} else if start, ok := began[id]; ok {
				delete(began, id)
				output.Encode(span{name, int64(id.g), start, at})
			}
		}
	}
	if len(began) > 0 {
		log.Fatalf("%d ranges never ended", len(began))
	}
}
