package fleet

import (
	"context"
	"time"

	"robots/internal/session"
)

// defaultBatch is how often arrivals are read unless the options say otherwise.
const defaultBatch = time.Millisecond

// Generate lets events arrive until the context ends. It is an open loop: the
// schedule does not wait for answers, and after a stall it catches up with the
// times at which the events were due. It returns how much of the schedule it has
// generated.
func (f *Fleet) Generate(ctx context.Context) time.Duration {
	var due [session.Modes]float64
	startNs := f.clock.nowNs()
	nextNs := startNs
	for batch := int64(0); ; batch++ {
		if !f.waitUntil(ctx, nextNs) {
			return time.Duration(nextNs - startNs)
		}
		if !f.paused.Load() {
			f.postBatch(batch, nextNs, &due)
		}
		nextNs += int64(f.options.Batch)
	}
}

// postBatch posts what is due at one beat of the schedule.
func (f *Fleet) postBatch(batch, scheduledNs int64, due *[session.Modes]float64) {
	for k, period := range f.arrivals {
		if batch%int64(period/f.options.Batch) != 0 {
			continue
		}
		due[k] += float64(f.rates[k].Load()) * period.Seconds()
		for ; due[k] >= 1; due[k]-- {
			f.post(event{kind: kind(k), scheduledNs: scheduledNs})
		}
	}
	if batch%int64(slotPeriod/f.options.Batch) == 0 {
		f.postSlot(scheduledNs, int(batch/int64(slotPeriod/f.options.Batch))%slots)
	}
}

func (f *Fleet) waitUntil(ctx context.Context, ns int64) bool {
	for {
		if ctx.Err() != nil {
			return false
		}
		wait := ns - f.clock.nowNs()
		if wait <= 0 {
			return true
		}
		time.Sleep(time.Duration(wait))
	}
}

// post gives an event to a worker in turn, or drops it where the mailbox is full.
func (f *Fleet) post(e event) {
	f.turn++
	w := f.workers[f.turn%len(f.workers)]
	select {
	case w.mailbox <- e:
	default:
		w.dropped.Add(1)
	}
}

func (f *Fleet) postSlot(scheduledNs int64, slot int) {
	if !f.Has(session.Timer) {
		return
	}
	for _, w := range f.workers {
		select {
		case w.mailbox <- event{kind: tick, scheduledNs: scheduledNs, slot: slot}:
		default:
			w.dropped.Add(1)
		}
	}
}
