package fleet

import (
	"context"
	"runtime/trace"
	"sync"
	"sync/atomic"

	"robots/internal/hist"
	"robots/internal/session"
)

// mailboxLength is how many events may wait for one worker; what comes beyond
// is dropped and counted, as a server under overload sheds.
const mailboxLength = 8192

// inboxLength is the same for one session that has a goroutine of its own.
const inboxLength = 16

// worker owns a share of the sessions; nobody else touches them.
type worker struct {
	index   int
	stride  int // number of workers: session ids of this worker are index, index+stride, …
	modes   []session.Mode
	clock   clock
	mailbox chan event
	roster  roster

	ownGoroutines bool
	inboxes       map[*session.Session]chan event
	running       sync.WaitGroup

	latency  hist.Histogram
	handled  [session.Modes]atomic.Uint64
	dropped  atomic.Uint64
	active   atomic.Int64
	sentSize atomic.Uint64
}

// Send is the worker's transport: the frame leaves the process here.
func (w *worker) Send(frame []byte) { w.sentSize.Add(uint64(len(frame))) }

// run handles events until the mailbox is closed and empty.
func (w *worker) run() {
	for e := range w.mailbox {
		switch e.kind {
		case resize:
			w.resizeTo(e.sessions)
		case tick:
			w.tickSlot(e)
		default:
			if s := w.roster.next(e.kind.mode()); s != nil {
				w.deliver(s, e)
			}
		}
	}
	w.resizeTo(0)
	w.running.Wait()
}

func (w *worker) resizeTo(sessions int) {
	for len(w.roster.all) < sessions {
		n := len(w.roster.all)
		s := session.New(uint32(w.index+n*w.stride), w.modes[n%len(w.modes)], w)
		w.roster.add(s)
		w.open(s)
		w.active.Add(1)
	}
	for len(w.roster.all) > sessions {
		w.shut(w.roster.removeNewest())
		w.active.Add(-1)
	}
}

// tickSlot serves one slot of the timing wheel as one batch.
func (w *worker) tickSlot(e event) {
	batch := w.roster.wheel[e.slot]
	if len(batch) == 0 {
		return
	}
	if w.ownGoroutines {
		for _, s := range batch {
			w.deliver(s, e)
		}
		return
	}
	ctx, end := beginTask("timer-slot")
	defer end()
	trace.WithRegion(ctx, "heartbeats", func() {
		for _, s := range batch {
			s.Tick()
			w.done(e)
		}
	})
}

func (w *worker) deliver(s *session.Session, e event) {
	if !w.ownGoroutines {
		w.handle(s, e)
		return
	}
	select {
	case w.inboxes[s] <- e:
	default:
		w.dropped.Add(1)
	}
}

func (w *worker) handle(s *session.Session, e event) {
	ctx, end := beginTask(taskNames[e.kind])
	defer end()
	w.act(ctx, s, e.kind)
	w.done(e)
}

func (w *worker) act(ctx context.Context, s *session.Session, k kind) {
	defer trace.StartRegion(ctx, "handle").End()
	switch k {
	case message:
		s.HandleMessage(session.Inbound)
	case transition:
		s.Transition()
	default:
		s.Tick()
	}
}

func (w *worker) done(e event) {
	w.latency.Observe(w.clock.nowNs() - e.scheduledNs)
	w.handled[e.kind.mode()].Add(1)
}
