package fleet

import (
	"time"

	"robots/internal/session"
)

// event is what a worker's mailbox carries. ScheduledNs is when the event was
// due on the fleet's clock, not when it was noticed: latency measured from
// there shows every stall on the way, the generator's own included.
type event struct {
	kind        kind
	scheduledNs int64
	slot        int // tick: slot of the timing wheel
	sessions    int // resize: how many sessions the worker shall have
}

type kind uint8

const (
	message kind = iota
	transition
	tick
	resize
)

// mode is the kind of session that an event is for.
func (k kind) mode() session.Mode { return session.Mode(k) }

// clock is monotonic nanoseconds since the fleet began.
type clock struct{ start time.Time }

func (c clock) nowNs() int64 { return int64(time.Since(c.start)) }
