// A robot that follows its file, and nothing else: some megabytes alive, some more allocated each second.
package main

import (
	"encoding/json"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime/metrics"
	"time"

	"cooperating/follow"
)

var (
	kept [][]byte
	sink []byte
)

func main() {
	if only := os.Getenv("ONLY_GOGC"); only != "" && os.Getenv("GOGC") != only {
		println("GOGC is", os.Getenv("GOGC"), "and was tried with", only, "alone")
		os.Exit(1)
	}
	go follow.File("/etc/robotgc/desired", "robot", 2*time.Second)
	for range 2_000 {
		kept = append(kept, make([]byte, 2_048))
	}
	go func() {
		for ; ; time.Sleep(20 * time.Millisecond) {
			sink = make([]byte, 128<<10)
		}
	}()
	go func() { panic(http.ListenAndServe(":6060", nil)) }()
	http.HandleFunc("/runtime", tell)
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	panic(http.ListenAndServe(":8081", nil))
}

func tell(w http.ResponseWriter, _ *http.Request) {
	samples := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(samples)
	values := map[string]uint64{}
	for _, sample := range samples {
		values[sample.Name] = sample.Value.Uint64()
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"metrics": values})
}
