package control

import (
	"fmt"

	"robots/internal/fleet"
	"robots/internal/session"
)

// Error is a refused change.
type Error struct {
	Code    string `json:"code"` // Invalid or Busy
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

func invalid(field, format string, args ...any) *Error {
	return &Error{Code: "Invalid", Field: field, Message: fmt.Sprintf(format, args...)}
}

func busy(field string) *Error {
	return &Error{Code: "Busy", Field: field, Message: field + " was asked for while the one before is still running; try again when it has ended"}
}

// limits keep a slip of the finger from taking the machine down.
var limits = []struct {
	field    string
	value    func(Change) *int
	min, max int
}{
	{"sessions", func(c Change) *int { return c.Sessions }, 0, 200_000},
	{"messagesPerSecond", func(c Change) *int { return c.MessagesPerSecond }, 0, 1_000_000},
	{"transitionsPerSecond", func(c Change) *int { return c.TransitionsPerSecond }, 0, 200_000},
	{"leakBytesPerSecond", func(c Change) *int { return c.LeakBytesPerSecond }, 0, 1 << 30},
	{"goroutineLeakPerSecond", func(c Change) *int { return c.GoroutineLeakPerSecond }, 0, 100_000},
	{"garbageBytesPerSecond", func(c Change) *int { return c.GarbageBytesPerSecond }, 0, 1 << 30},
	{"heldBytes", func(c Change) *int { return c.HeldBytes }, 0, 4 << 30},
	{"burstBytes", func(c Change) *int { return c.BurstBytes }, 1, 16 << 30},
	{"spinMs", func(c Change) *int { return c.SpinMs }, 1, 5_000},
}

func (c Change) validate(f *fleet.Fleet) error {
	for _, l := range limits {
		if v := l.value(c); v != nil && (*v < l.min || *v > l.max) {
			return invalid(l.field, "%s is %d; give a number from %d to %d", l.field, *v, l.min, l.max)
		}
	}
	for _, r := range []struct {
		field string
		rate  *int
		mode  session.Mode
	}{
		{"messagesPerSecond", c.MessagesPerSecond, session.MessageDriven},
		{"transitionsPerSecond", c.TransitionsPerSecond, session.StateMachine},
	} {
		if r.rate != nil && *r.rate > 0 && !f.Has(r.mode) {
			return invalid(r.field, "%s is %d, but the robot has no sessions of mode %s; start it with -mode %s or -mode mixed",
				r.field, *r.rate, r.mode, r.mode)
		}
	}
	return nil
}
