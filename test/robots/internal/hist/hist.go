// Package hist holds a latency histogram that many goroutines may write while
// others read: log-spaced buckets, ten a decade, so that a quantile read from
// it is at most 26 % above the true value.
package hist

import (
	"math"
	"sort"
	"sync/atomic"
)

const (
	perDecade = 10
	decades   = 6 // 10 µs to 10 s
	buckets   = perDecade*decades + 1
)

// BoundsNs are the inclusive upper bounds of the finite buckets, in
// nanoseconds; one more bucket takes everything slower.
var BoundsNs = func() (bounds [buckets]int64) {
	for i := range bounds {
		bounds[i] = int64(math.Round(1e4 * math.Pow(10, float64(i)/perDecade)))
	}
	return bounds
}()

// Histogram counts latencies. The zero value is ready for use.
type Histogram struct {
	counts [buckets + 1]atomic.Uint64
	sumNs  atomic.Int64
	maxNs  atomic.Int64
}

// Observe counts one latency in nanoseconds; a negative one counts as zero.
func (h *Histogram) Observe(ns int64) {
	ns = max(ns, 0)
	i := sort.Search(buckets, func(i int) bool { return ns <= BoundsNs[i] })
	h.counts[i].Add(1)
	h.sumNs.Add(ns)
	for {
		seen := h.maxNs.Load()
		if ns <= seen || h.maxNs.CompareAndSwap(seen, ns) {
			return
		}
	}
}

// Snapshot reads the histogram. Writers are not held up, so the counts of one
// snapshot may be an event apart from its sum.
func (h *Histogram) Snapshot() Snapshot {
	var s Snapshot
	for i := range h.counts {
		s.Counts[i] = h.counts[i].Load()
	}
	s.SumNs = h.sumNs.Load()
	s.MaxNs = h.maxNs.Load()
	return s
}
