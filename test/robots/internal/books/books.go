// Package books reads the Go runtime's own accounts of its collector, so that
// what is measured from outside can be compared with them. Reading
// them does not stop the world.
package books

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"
)

var started = time.Now()

// names are the accounts that Read copies, as runtime/metrics calls them.
var names = []string{
	"/sched/pauses/total/gc:seconds",
	"/sched/pauses/stopping/gc:seconds",
	"/sched/pauses/total/other:seconds",
	"/sched/pauses/stopping/other:seconds",
	"/sched/gomaxprocs:threads",
	"/sched/goroutines:goroutines",
	"/gc/cycles/total:gc-cycles",
	"/gc/cycles/automatic:gc-cycles",
	"/gc/cycles/forced:gc-cycles",
	"/gc/heap/live:bytes",
	"/gc/heap/goal:bytes",
	"/gc/heap/allocs:bytes",
	"/gc/heap/allocs:objects",
	"/gc/scan/stack:bytes",
	"/gc/scan/globals:bytes",
	"/gc/scan/heap:bytes",
	"/gc/gogc:percent",
	"/gc/gomemlimit:bytes",
	"/gc/limiter/last-enabled:gc-cycle",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/released:bytes",
	"/cpu/classes/gc/mark/assist:cpu-seconds",
	"/cpu/classes/gc/mark/dedicated:cpu-seconds",
	"/cpu/classes/gc/mark/idle:cpu-seconds",
	"/cpu/classes/gc/pause:cpu-seconds",
	"/cpu/classes/gc/total:cpu-seconds",
	"/cpu/classes/total:cpu-seconds",
}

// Books is one reading: Metrics holds a uint64, a float64 or a Histogram under each
// of the runtime's names.
type Books struct {
	PID       int            `json:"pid"`
	GoVersion string         `json:"goVersion"`
	UptimeNs  int64          `json:"uptimeNs"` // monotonic, at the time of reading
	Metrics   map[string]any `json:"metrics"`
}

// Histogram is a runtime/metrics histogram: Counts[i] lies in
// [Bounds[i], Bounds[i+1]), so there is one bound more than counts.
type Histogram struct {
	Bounds []Bound  `json:"bounds"`
	Counts []uint64 `json:"counts"`
}

// Bound is in the metric's unit. JSON has no infinities: those are
// the strings "-Infinity" and "Infinity", which JavaScript's Number() reads.
type Bound float64

// MarshalJSON writes the shortest number that reads back as the same float64.
func (b Bound) MarshalJSON() ([]byte, error) {
	switch f := float64(b); {
	case f > 1e300:
		return []byte(`"Infinity"`), nil
	case f < -1e300:
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(f)
	}
}

// Uptime is monotonic, from the start of the process.
func Uptime() time.Duration { return time.Since(started) }

// CPUTime is the user and system time of the whole process, as the kernel counts it.
func CPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("getrusage of the own process: %v", err)) // cannot fail with valid arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// PeakResident is the most memory that was ever resident, as the kernel counts
// it; 0 where there is no /proc.
func PeakResident() (bytes int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(kib, &bytes) // the kernel writes a number
		}
	}
	return bytes << 10
}

// Read takes one reading of all accounts.
func Read() Books {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	b := Books{
		PID:       os.Getpid(),
		GoVersion: runtime.Version(),
		UptimeNs:  int64(Uptime()),
		Metrics:   make(map[string]any, len(names)),
	}
	for _, s := range samples {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			b.Metrics[s.Name] = s.Value.Uint64()
		case metrics.KindFloat64:
			b.Metrics[s.Name] = s.Value.Float64()
		case metrics.KindFloat64Histogram:
			b.Metrics[s.Name] = copied(s.Value.Float64Histogram())
		case metrics.KindBad: // this Go version does not keep the account
		}
	}
	return b
}

func copied(h *metrics.Float64Histogram) Histogram {
	c := Histogram{Bounds: make([]Bound, len(h.Buckets)), Counts: append([]uint64(nil), h.Counts...)}
	for i, bound := range h.Buckets {
		c.Bounds[i] = Bound(bound)
	}
	return c
}

// Uint is one account that is a count; it panics on a name that is none.
func (b Books) Uint(name string) uint64 {
	n, ok := b.Metrics[name].(uint64)
	if !ok {
		panic(fmt.Sprintf("the runtime's books have no count %q", name))
	}
	return n
}
