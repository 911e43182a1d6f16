// Package control is the HTTP interface by which load and faults are set while
// the robot runs.
package control

import (
	"time"

	"robots/internal/faults"
	"robots/internal/fleet"
	"robots/internal/session"
)

// Settings are what GET /control shows.
type Settings struct {
	Sessions               int  `json:"sessions"`
	MessagesPerSecond      int  `json:"messagesPerSecond"`
	TransitionsPerSecond   int  `json:"transitionsPerSecond"`
	LeakBytesPerSecond     int  `json:"leakBytesPerSecond"`
	GoroutineLeakPerSecond int  `json:"goroutineLeakPerSecond"`
	GarbageBytesPerSecond  int  `json:"garbageBytesPerSecond"`
	HeldBytes              int  `json:"heldBytes"`
	Paused                 bool `json:"paused"`
	LeakedBytes            int  `json:"leakedBytes"`      // read only
	LeakedGoroutines       int  `json:"leakedGoroutines"` // read only
}

// Change is what PATCH /control takes; what is missing stays as it is. The
// last three act once.
type Change struct {
	Sessions               *int  `json:"sessions"`
	MessagesPerSecond      *int  `json:"messagesPerSecond"`
	TransitionsPerSecond   *int  `json:"transitionsPerSecond"`
	LeakBytesPerSecond     *int  `json:"leakBytesPerSecond"`
	GoroutineLeakPerSecond *int  `json:"goroutineLeakPerSecond"`
	GarbageBytesPerSecond  *int  `json:"garbageBytesPerSecond"` // allocate so much evenly, keep nothing
	HeldBytes              *int  `json:"heldBytes"`             // keep so much alive beside the sessions
	Paused                 *bool `json:"paused"`                // keep all events away, timers included

	BurstBytes   *int  `json:"burstBytes"`   // allocate that much at once, keep nothing
	SpinMs       *int  `json:"spinMs"`       // work that long without being preemptible
	ReleaseLeaks *bool `json:"releaseLeaks"` // let go of all that has leaked
}

// Robot is what the settings act on.
type Robot struct {
	Fleet  *fleet.Fleet
	Faults *faults.Faults
}

// Settings reads what is set now.
func (r Robot) Settings() Settings {
	return Settings{
		Sessions:               r.Fleet.Sessions(),
		MessagesPerSecond:      r.Fleet.Rate(session.MessageDriven),
		TransitionsPerSecond:   r.Fleet.Rate(session.StateMachine),
		LeakBytesPerSecond:     r.Faults.Leak(),
		GoroutineLeakPerSecond: r.Faults.GoroutineLeak(),
		GarbageBytesPerSecond:  r.Faults.Garbage(),
		HeldBytes:              r.Faults.Held(),
		Paused:                 r.Fleet.Paused(),
		LeakedBytes:            r.Faults.LeakedBytes(),
		LeakedGoroutines:       r.Faults.LeakedGoroutines(),
	}
}

// Apply validates the whole change and then makes it, or makes none of it.
func (r Robot) Apply(c Change) error {
	if err := c.validate(r.Fleet); err != nil {
		return err
	}
	if c.SpinMs != nil && !r.Faults.StartDigest(time.Duration(*c.SpinMs)*time.Millisecond) {
		return busy("spinMs")
	}
	if c.BurstBytes != nil && !r.Faults.StartReload(*c.BurstBytes) {
		return busy("burstBytes")
	}
	set(c.Sessions, r.Fleet.SetSessions)
	set(c.MessagesPerSecond, func(n int) { r.Fleet.SetRate(session.MessageDriven, n) })
	set(c.TransitionsPerSecond, func(n int) { r.Fleet.SetRate(session.StateMachine, n) })
	set(c.LeakBytesPerSecond, r.Faults.SetLeak)
	set(c.GoroutineLeakPerSecond, r.Faults.SetGoroutineLeak)
	set(c.GarbageBytesPerSecond, r.Faults.SetGarbage)
	set(c.HeldBytes, r.Faults.Hold)
	set(c.Paused, r.Fleet.SetPaused)
	if c.ReleaseLeaks != nil && *c.ReleaseLeaks {
		r.Faults.Release()
	}
	return nil
}

func set[T any](value *T, apply func(T)) {
	if value != nil {
		apply(*value)
	}
}
