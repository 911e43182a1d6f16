package fleet

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"robots/internal/books"
	"robots/internal/faults"
	"robots/internal/hist"
	"robots/internal/session"
)

var mixed = []session.Mode{session.MessageDriven, session.StateMachine, session.Timer}

func newFleet(t *testing.T, o Options, sessions int) *Fleet {
	t.Helper()
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.SetSessions(sessions)
	settle(t, f)
	return f
}

func settle(t *testing.T, f *Fleet) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

// generate runs the generator for a while and returns how much of the schedule
// that was.
func generate(f *Fleet, d time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f.Generate(ctx)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if got < want*(1-tolerance) || got > want*(1+tolerance) {
		t.Errorf("%s: %.1f, want %.1f ± %.0f %%", what, got, want, 100*tolerance)
	}
}

func TestTheGeneratorKeepsItsRates(t *testing.T) {
	for _, own := range []bool{false, true} {
		f, err := New(Options{Modes: mixed, Workers: 4, SessionGoroutines: own})
		if err != nil {
			t.Fatal(err)
		}
		f.SetSessions(300)
		settle(t, f)
		f.SetRate(session.MessageDriven, 2000)
		f.SetRate(session.StateMachine, 333)
		seconds := generate(f, time.Second).Seconds()
		if seconds < 0.8 || seconds > 1.01 {
			t.Errorf("%.3f s of the schedule in one second", seconds)
		}
		if err := f.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		s := f.Stats()
		near(t, "messages a second", float64(s.Handled[session.MessageDriven])/seconds, 2000, 0.002)
		near(t, "transitions a second", float64(s.Handled[session.StateMachine])/seconds, 333, 0.006)
		near(t, "ticks a second", float64(s.Handled[session.Timer])/seconds, 100*10, 0.015)
		if s.Dropped != 0 {
			t.Errorf("%d events dropped", s.Dropped)
		}
		if s.Latency.Count() != s.Handled[0]+s.Handled[1]+s.Handled[2] {
			t.Errorf("%d latencies of %v events", s.Latency.Count(), s.Handled)
		}
	}
}

func TestAStopOfTheWorldShowsInTheLatencyOfEveryEventThatWasDueMeanwhile(t *testing.T) {
	// Whether the collection meets the digest, which cannot be stopped, is the scheduler's choice.
	for range 10 {
		if stopsTheWorld(t) {
			return
		}
	}
	t.Fatal("the world was never stopped for long: nothing to see")
}

// stopsTheWorld is false when the world was stopped too shortly to be seen.
func stopsTheWorld(t *testing.T) bool {
	f := newFleet(t, Options{Modes: []session.Mode{session.MessageDriven}, Workers: 1}, 10)
	f.SetRate(session.MessageDriven, 1000)
	if err := faults.Digest(time.Millisecond); err != nil { // calibrates
		t.Fatal(err)
	}
	pausesBefore := pauses()
	ctx, cancel := context.WithCancel(context.Background())
	var stall sync.WaitGroup
	stall.Add(2)
	go func() {
		defer stall.Done()
		time.Sleep(50 * time.Millisecond)
		if err := faults.Digest(200 * time.Millisecond); err != nil {
			t.Error(err)
		}
	}()
	go func() {
		defer stall.Done()
		time.Sleep(60 * time.Millisecond)
		runtime.GC()
	}()
	go func() {
		defer cancel()
		stall.Wait()
		time.Sleep(100 * time.Millisecond) // to catch up
	}()
	f.Generate(ctx)
	stopped := longestPauseSince(pausesBefore)
	if stopped < 60*time.Millisecond {
		t.Logf("the world was stopped for %v at most", stopped)
		return false
	}
	late := 0
	s := f.Stats()
	for i, bound := range hist.BoundsNs {
		if time.Duration(bound) > stopped/2 {
			late += int(s.Latency.Counts[i])
		}
	}
	if want := int(stopped.Milliseconds()) * 3 / 10; late < want {
		t.Errorf("%d of %d events were later than half the stop of %v, want at least %d", late, s.Latency.Count(), stopped, want)
	}
	return true
}

func pauses() books.Histogram {
	return books.Read().Metrics["/sched/pauses/total/gc:seconds"].(books.Histogram)
}

// longestPauseSince is the lower bound of the highest bucket of the runtime's
// own pause times that was counted into meanwhile.
func longestPauseSince(before books.Histogram) (longest time.Duration) {
	now := pauses()
	for i, n := range now.Counts {
		if n > before.Counts[i] {
			longest = time.Duration(float64(now.Bounds[i]) * 1e9)
		}
	}
	return longest
}

func TestSessionsAreOpenedAndEndedAsAsked(t *testing.T) {
	for _, own := range []bool{false, true} {
		before := runtime.NumGoroutine()
		f := newFleet(t, Options{Modes: mixed, Workers: 3, SessionGoroutines: own}, 100)
		for _, n := range []int{7, 250, 0, 31} {
			f.SetSessions(n)
			settle(t, f)
			inWheel := 0
			for _, w := range f.workers {
				for _, slot := range w.roster.wheel {
					inWheel += len(slot)
				}
			}
			if timers := f.byMode(session.Timer); inWheel != timers {
				t.Errorf("%d sessions: %d in the wheel, %d timer sessions", n, inWheel, timers)
			}
		}
		if own {
			time.Sleep(20 * time.Millisecond)
			if grown := runtime.NumGoroutine() - before; grown < 31 || grown > 31+6+3 {
				t.Errorf("31 sessions of their own goroutine: %d goroutines more", grown)
			}
		}
	}
}

func (f *Fleet) byMode(mode session.Mode) (n int) {
	for _, w := range f.workers {
		n += len(w.roster.byMode[mode])
	}
	return n
}

func TestATimerSessionTicksEveryHundredMilliseconds(t *testing.T) {
	f := newFleet(t, Options{Modes: []session.Mode{session.Timer}, Workers: 2}, 1000)
	rounds := generate(f, 305*time.Millisecond).Seconds() / tickPeriod.Seconds()
	time.Sleep(100 * time.Millisecond)
	got := float64(f.Stats().Handled[session.Timer])
	if got < 1000*rounds || got > 1000*rounds+100 { // the last slot is begun
		t.Errorf("%.0f ticks of 1,000 sessions in %.2f rounds of the wheel", got, rounds)
	}
}

func TestOverloadIsShedAndCounted(t *testing.T) {
	f := newFleet(t, Options{Modes: []session.Mode{session.MessageDriven}, Workers: 1}, 1)
	w := f.workers[0]
	f.mutex.Lock() // nobody resizes meanwhile
	for range 3 * mailboxLength {
		f.post(event{kind: message, scheduledNs: f.clock.nowNs()})
	}
	f.mutex.Unlock()
	for len(w.mailbox) > 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	s := f.Stats()
	if s.Dropped+s.Handled[session.MessageDriven] != 3*mailboxLength {
		t.Errorf("%d dropped + %d handled of %d", s.Dropped, s.Handled[session.MessageDriven], 3*mailboxLength)
	}
}

func TestSaturationHandlesEveryKind(t *testing.T) {
	f := newFleet(t, Options{Modes: mixed, Workers: 4}, 100)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	f.Saturate(ctx)
	h := f.Stats().Handled
	if h[session.StateMachine] == 0 {
		t.Fatal("no transitions")
	}
	near(t, "messages to a transition", float64(h[session.MessageDriven])/float64(h[session.StateMachine]), 4, 0.01)
	near(t, "ticks to a transition", float64(h[session.Timer])/float64(h[session.StateMachine]), 5, 0.01)
}

func TestClosingHandlesWhatIsWaiting(t *testing.T) {
	f := newFleet(t, Options{Modes: []session.Mode{session.MessageDriven}, Workers: 2, SessionGoroutines: true}, 500)
	for range 1000 {
		f.post(event{kind: message, scheduledNs: f.clock.nowNs()})
	}
	if err := f.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := f.Stats()
	if s.Handled[session.MessageDriven]+s.Dropped != 1000 || s.Active != 0 {
		t.Errorf("%d handled, %d dropped, %d still active", s.Handled[session.MessageDriven], s.Dropped, s.Active)
	}
}

func TestAFleetNeedsAWorkerAndAMode(t *testing.T) {
	if _, err := New(Options{Modes: mixed}); err == nil {
		t.Error("no workers were accepted")
	}
	if _, err := New(Options{Workers: 1}); err == nil {
		t.Error("no modes were accepted")
	}
}

func TestStateMachinesOnABusStepTogether(t *testing.T) {
	f, err := New(Options{Modes: []session.Mode{session.StateMachine}, Workers: 1, BusCycle: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	f.SetSessions(10)
	settle(t, f)
	f.SetRate(session.StateMachine, 500)
	beats := uint64(generate(f, 350*time.Millisecond)/(100*time.Millisecond)) + 1 // the first at once
	if err := f.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := f.Stats().Handled[session.StateMachine]; n != beats*50 {
		t.Errorf("%d transitions in %d beats of 50", n, beats)
	}
	if _, err := New(Options{Modes: mixed, Workers: 1, BusCycle: time.Microsecond}); err == nil {
		t.Error("a bus cycle below the generator's beat was accepted")
	}
}

func TestALongerBatchBringsAsMuch(t *testing.T) {
	for _, batch := range []time.Duration{time.Millisecond, 10 * time.Millisecond} {
		f := newFleet(t, Options{Modes: mixed, Workers: 2, Batch: batch, BusCycle: 100 * time.Millisecond}, 90)
		f.SetRate(session.MessageDriven, 1000)
		f.SetRate(session.StateMachine, 500)
		tenths := uint64(generate(f, 500*time.Millisecond) / (100 * time.Millisecond))
		settle(t, f)
		if err := f.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		s := f.Stats()
		for mode, perTenth := range map[session.Mode]uint64{session.MessageDriven: 100, session.StateMachine: 50, session.Timer: 30} {
			if n := s.Handled[mode]; n < tenths*perTenth || n > (tenths+1)*perTenth {
				t.Errorf("batches of %v: %d %v events in %d tenths of a second, %d each", batch, n, mode, tenths, perTenth)
			}
		}
	}
	for _, batch := range []time.Duration{-time.Millisecond, 3 * time.Millisecond, 20 * time.Millisecond} {
		if _, err := New(Options{Modes: mixed, Workers: 1, Batch: batch}); err == nil {
			t.Errorf("batches of %v were accepted", batch)
		}
	}
}

func TestAPausedFleetGetsNoEvents(t *testing.T) {
	f := newFleet(t, Options{Modes: mixed, Workers: 2}, 100)
	f.SetRate(session.MessageDriven, 1000)
	f.SetRate(session.StateMachine, 1000)
	f.SetPaused(true)
	generate(f, 200*time.Millisecond)
	if n := f.Stats().Latency.Count(); n != 0 {
		t.Errorf("%d events", n)
	}
	f.SetPaused(false)
	generate(f, 200*time.Millisecond)
	if f.Stats().Handled[session.MessageDriven] == 0 {
		t.Error("no messages after the pause")
	}
}
