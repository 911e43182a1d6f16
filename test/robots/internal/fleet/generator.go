package fleet

import (
	"context"
	"time"

	"robots/internal/session"
)

// batchPeriod is how often arrivals are read, as from an epoll wake-up: all
// events of one batch are due at its start.
const batchPeriod = time.Millisecond

// Generate lets events arrive until the context ends. It is an open loop: the
// schedule does not wait for answers, and after a stall it catches up with the
// times at which the events were due.
func (f *Fleet) Generate(ctx context.Context) {
	var due [session.Modes]float64
	nextNs := f.clock.nowNs()
	for batch := int64(0); ; batch++ {
		if !f.waitUntil(ctx, nextNs) {
			return
		}
		for _, k := range []kind{message, transition} {
			due[k] += float64(f.rates[k].Load()) * batchPeriod.Seconds()
			for ; due[k] >= 1; due[k]-- {
				f.post(event{kind: k, scheduledNs: nextNs})
			}
		}
		if batch%int64(slotPeriod/batchPeriod) == 0 {
			f.postSlot(nextNs, int(batch/int64(slotPeriod/batchPeriod))%slots)
		}
		nextNs += int64(batchPeriod)
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
