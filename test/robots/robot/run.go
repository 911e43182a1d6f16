package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"time"

	"robots/internal/books"
	"robots/internal/control"
	"robots/internal/faults"
	"robots/internal/fleet"
	"robots/internal/session"
)

// openTime is how long opening the first sessions may take.
const openTime = 30 * time.Second

// run is the robot's life: open the sessions, serve and generate load until the
// context ends, drain, end.
func run(ctx context.Context, c config, log *slog.Logger, out io.Writer) error {
	runtime.SetMutexProfileFraction(c.mutexFraction)
	runtime.SetBlockProfileRate(c.blockRateNs)
	f, err := fleet.New(fleet.Options{Modes: modes[c.mode], Workers: c.workers, SessionGoroutines: c.sessionGoroutines, BusCycle: c.busCycle, Batch: c.batch})
	if err != nil {
		return err
	}
	if err := c.startTuner(f); err != nil {
		return err
	}
	robot := control.Robot{Fleet: f, Faults: &faults.Faults{}}
	if err := robot.Apply(c.initial(f)); err != nil {
		return err
	}
	listening, err := serve(c, robot)
	if err != nil {
		return err
	}
	opening, cancelOpening := context.WithTimeout(ctx, openTime)
	defer cancelOpening()
	if err := f.Settle(opening); err != nil {
		return err
	}
	log.Info("serving", "metrics", listening.addr(0), "control", listening.addr(1), "pprof", listening.addr(2),
		"sessions", c.sessions, "mode", c.mode, "profile", c.profile)

	work(ctx, c, robot, out)

	log.Info("draining")
	draining, cancelDraining := context.WithTimeout(context.Background(), c.drain)
	defer cancelDraining()
	if err := f.Close(draining); err != nil {
		return err
	}
	listening.shutdown(draining)
	s := f.Stats()
	log.Info("ended", "events", s.Latency.Count(), "dropped", s.Dropped, "latencyP99Ms", float64(s.Latency.QuantileNs(0.99))/1e6)
	return nil
}

// work generates load, or saturates the machine, until its time is over.
func work(ctx context.Context, c config, robot control.Robot, out io.Writer) {
	ctx, cancel := context.WithCancel(ctx)
	if c.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.duration)
	}
	faultsEnded := make(chan struct{})
	go func() {
		defer close(faultsEnded)
		robot.Faults.Run(ctx)
	}()
	if c.saturate {
		saturate(ctx, robot.Fleet, out)
	} else {
		robot.Fleet.Generate(ctx)
	}
	cancel()
	<-faultsEnded
}

// saturate prints one JSON object: how much was handled, and at what cost.
func saturate(ctx context.Context, f *fleet.Fleet, out io.Writer) {
	before, cpuBefore, start := f.Stats(), books.CPUTime(), time.Now()
	f.Saturate(ctx)
	after, seconds := f.Stats(), time.Since(start).Seconds()
	events := after.Latency.Count() - before.Latency.Count()
	_ = json.NewEncoder(out).Encode(map[string]any{
		"events": events, "seconds": seconds, "eventsPerSecond": float64(events) / seconds, "cpuSeconds": (books.CPUTime() - cpuBefore).Seconds(),
	})
}

// initial is the load at start. Rates at sessions that the mode does not have
// are left at zero unless they were asked for.
func (c config) initial(f *fleet.Fleet) control.Change {
	change := control.Change{Sessions: &c.sessions, LeakBytesPerSecond: &c.leakBytes}
	if f.Has(session.MessageDriven) {
		change.MessagesPerSecond = &c.messagesPerSecond
	}
	if f.Has(session.StateMachine) {
		change.TransitionsPerSecond = &c.transitions
	}
	return change
}
