package control

import (
	"fmt"
	"io"
	"runtime"

	"robots/internal/books"
	"robots/internal/expo"
	"robots/internal/hist"
	"robots/internal/session"
)

// runtimeFamilies are the runtime's accounts under the names that
// Prometheus' own Go collector gives them.
var runtimeFamilies = []struct{ name, kind, help, account string }{
	{"go_gc_heap_live_bytes", "gauge", "Heap marked live by the last cycle.", "/gc/heap/live:bytes"},
	{"go_gc_heap_goal_bytes", "gauge", "Heap size at which the current cycle shall end.", "/gc/heap/goal:bytes"},
	{"go_gc_gogc_percent", "gauge", "GOGC.", "/gc/gogc:percent"},
	{"go_gc_gomemlimit_bytes", "gauge", "GOMEMLIMIT.", "/gc/gomemlimit:bytes"},
	{"go_gc_cycles_total_gc_cycles_total", "counter", "Finished collections.", "/gc/cycles/total:gc-cycles"},
	{"go_gc_heap_allocs_bytes_total", "counter", "Bytes allocated on the heap.", "/gc/heap/allocs:bytes"},
}

// WriteMetrics writes the robot's metrics in Prometheus' text format.
func WriteMetrics(out io.Writer, r Robot) error {
	s := r.Fleet.Stats()
	w := expo.New(out)
	w.Gauge("robot_active_sessions", "Open sessions.", float64(s.Active))
	w.Gauge("robot_goroutines", "Goroutines.", float64(runtime.NumGoroutine()))
	w.Family("robot_events_total", "counter", "Events handled, by the mode of their session.")
	for mode, n := range s.Handled {
		w.Sample("robot_events_total", fmt.Sprintf(`{mode="%s"}`, session.Mode(mode)), float64(n))
	}
	w.Counter("robot_events_dropped_total", "Events shed because their mailbox was full.", float64(s.Dropped))
	w.Histogram("robot_event_latency_seconds", "From the scheduled arrival of an event to the end of its handling.",
		hist.BoundsNs[:], s.Latency.Counts[:], s.Latency.SumNs)
	b := books.Read()
	for _, f := range runtimeFamilies {
		w.Family(f.name, f.kind, f.help)
		w.Sample(f.name, "", float64(b.Uint(f.account)))
	}
	return w.Err()
}
