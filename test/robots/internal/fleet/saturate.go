package fleet

import (
	"context"
	"runtime"
	"sync"
)

// saturation is the order in which a saturating worker goes through the kinds
// of event: four messages and five ticks to one transition, as in a busy fleet.
var saturation = []kind{message, tick, message, tick, transition, tick, message, tick, message, tick}

// Saturate handles events as fast as the machine can, a closed loop on
// GOMAXPROCS goroutines, until the context ends. It measures throughput: latency counts
// from the start of the handling. The fleet must be idle: no Generate, and no
// SetSessions until it returns.
func (f *Fleet) Saturate(ctx context.Context) {
	var all sync.WaitGroup
	lanes := runtime.GOMAXPROCS(0)
	for lane := range lanes {
		all.Add(1)
		go func() {
			defer all.Done()
			for ctx.Err() == nil {
				for i := lane; i < len(f.workers); i += lanes {
					f.workers[i].saturateOnce(f.clock)
				}
			}
		}()
	}
	all.Wait()
}

func (w *worker) saturateOnce(c clock) {
	for _, k := range saturation {
		if s := w.roster.next(k.mode()); s != nil {
			w.handle(s, event{kind: k, scheduledNs: c.nowNs()})
		}
	}
}
