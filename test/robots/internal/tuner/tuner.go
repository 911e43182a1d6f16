// Package tuner sets GOGC from inside of the program at the end of each
// collection, by the formulas that teams use today: what robotgc is compared
// with.
package tuner

import (
	"runtime"
	"runtime/debug"
)

// Formula is GOGC for what is in use after a collection. It runs on the
// runtime's finalizer goroutine.
type Formula func(inUseBytes uint64) int

// Memory spends what is left below the threshold: GOGC = (threshold − use) ÷
// use × 100, as github.com/bytedance/gopkg/util/gctuner and Uber's tuner have
// it. Between least and most; above the threshold it is least.
func Memory(thresholdBytes uint64, least, most int) Formula {
	return func(inUseBytes uint64) int {
		if inUseBytes == 0 {
			return 100
		}
		if inUseBytes >= thresholdBytes {
			return least
		}
		return int(min(max((thresholdBytes-inUseBytes)*100/inUseBytes, uint64(least)), uint64(most)))
	}
}

// Sessions grows with the robots, whatever fits: GOGC = 100 × active ÷
// baseline, and 100 below the baseline.
func Sessions(baseline int, active func() int) Formula {
	return func(uint64) int { return max(100, 100*active()/baseline) }
}

// sentinel is garbage as soon as it is made: its finalizer runs after each
// collection. With the pointer in it, it is none of the runtime's tiny objects,
// which share a block and live as long as their neighbours.
type sentinel struct {
	formula Formula
}

// Start lets the formula set GOGC from the next collection on, for as long as
// the program lives.
func Start(formula Formula) { plant(&sentinel{formula}) }

func plant(s *sentinel) { runtime.SetFinalizer(s, tune) }

func tune(s *sentinel) {
	debug.SetGCPercent(s.formula(inUse()))
	plant(s)
}

// inUse is the heap's spans in use, as the published tuners read it; that stops
// the world.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
