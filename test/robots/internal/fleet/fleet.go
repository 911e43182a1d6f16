// Package fleet runs a robot framework's sessions: workers that own them, an
// open-loop load generator that does not wait for answers, and the
// figures that a team would watch.
package fleet

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"robots/internal/hist"
	"robots/internal/session"
)

// Options say how the fleet is built; load is set afterwards.
type Options struct {
	Modes             []session.Mode // dealt out to the sessions in turn
	Workers           int
	SessionGoroutines bool // a goroutine per session instead of a few workers

	// BusCycle is the beat at which state machines step, all that are due at
	// once, as device robots on a field bus do; 0 spreads them evenly. A
	// multiple of Batch.
	BusCycle time.Duration

	// Batch is how often arrivals are read, as from an epoll wake-up: all
	// events of one batch are due at its start. 0 is 1 ms; each costs a
	// wake-up. The timing wheel's 10 ms are a multiple of it.
	Batch time.Duration
}

// Fleet is safe for concurrent use.
type Fleet struct {
	options Options
	clock   clock
	workers []*worker
	rates   [session.Modes]atomic.Int64 // events per second; of Timer unused: 10 per session

	paused atomic.Bool

	mutex    sync.Mutex // guards sessions, closed and sending to mailboxes from outside the generator
	sessions int
	closed   bool
	running  sync.WaitGroup
	arrivals [2]time.Duration // how often messages and transitions arrive
	turn     int              // of the generator: the worker that got the last event
}

// New makes a fleet without sessions and starts its workers.
func New(o Options) (*Fleet, error) {
	if o.Workers < 1 || len(o.Modes) == 0 {
		return nil, fmt.Errorf("a fleet needs a worker and a mode, got %d workers and %d modes", o.Workers, len(o.Modes))
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Batch < 0 || slotPeriod%o.Batch != 0 {
		return nil, fmt.Errorf("a batch is %v; give a time of which %v are a multiple", o.Batch, slotPeriod)
	}
	if o.BusCycle < 0 || o.BusCycle%o.Batch != 0 {
		return nil, fmt.Errorf("the bus cycle is %v; give a multiple of %v, or 0", o.BusCycle, o.Batch)
	}
	f := &Fleet{options: o, clock: clock{time.Now()}}
	f.arrivals = [...]time.Duration{message: o.Batch, transition: max(o.BusCycle, o.Batch)}
	for i := range o.Workers {
		w := &worker{
			index: i, stride: o.Workers, modes: o.Modes, clock: f.clock,
			mailbox:       make(chan event, mailboxLength),
			ownGoroutines: o.SessionGoroutines,
			inboxes:       map[*session.Session]chan event{},
		}
		f.workers = append(f.workers, w)
		f.running.Add(1)
		go func() {
			defer f.running.Done()
			w.run()
		}()
	}
	return f, nil
}

// SetSessions opens or ends sessions until there are n; it returns when every
// worker has been told, not when all are open.
func (f *Fleet) SetSessions(n int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.closed {
		return
	}
	f.sessions = n
	for i, w := range f.workers {
		share := (n + len(f.workers) - 1 - i) / len(f.workers)
		w.mailbox <- event{kind: resize, sessions: share}
	}
}

// Sessions is the number last asked for; Active the number that are open.
func (f *Fleet) Sessions() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.sessions
}

// SetRate sets how many messages or transitions arrive each second, over all
// sessions of that mode.
func (f *Fleet) SetRate(mode session.Mode, perSecond int) { f.rates[mode].Store(int64(perSecond)) }

// Rate is what SetRate set.
func (f *Fleet) Rate(mode session.Mode) int { return int(f.rates[mode].Load()) }

// SetPaused keeps all events away, timers included, until it is set back: an
// idle robot with all its state, whose runtime has nothing to count.
func (f *Fleet) SetPaused(paused bool) { f.paused.Store(paused) }

// Paused is what SetPaused set.
func (f *Fleet) Paused() bool { return f.paused.Load() }

// Has says whether the fleet has sessions of the mode.
func (f *Fleet) Has(mode session.Mode) bool {
	for _, m := range f.options.Modes {
		if m == mode {
			return true
		}
	}
	return false
}

// Close waits until the workers have handled what is in their mailboxes and
// ended their sessions. The generator must have ended before.
func (f *Fleet) Close(ctx context.Context) error {
	f.mutex.Lock()
	if !f.closed {
		f.closed = true
		for _, w := range f.workers {
			close(w.mailbox)
		}
	}
	f.mutex.Unlock()
	drained := make(chan struct{})
	go func() {
		f.running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("events were still waiting when the time to drain was over: %w", ctx.Err())
	}
}

// Stats are the fleet's figures since it began.
type Stats struct {
	Active  int
	Handled [session.Modes]uint64
	Dropped uint64
	Latency hist.Snapshot
}

// Stats reads the figures without holding anything up.
func (f *Fleet) Stats() Stats {
	var s Stats
	for _, w := range f.workers {
		s.Active += int(w.active.Load())
		s.Dropped += w.dropped.Load()
		s.Latency.Merge(w.latency.Snapshot())
		for mode := range s.Handled {
			s.Handled[mode] += w.handled[mode].Load()
		}
	}
	return s
}

// Settle waits until as many sessions are open as were asked for.
func (f *Fleet) Settle(ctx context.Context) error {
	for f.Stats().Active != f.Sessions() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions were open: %w", f.Stats().Active, f.Sessions(), ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
