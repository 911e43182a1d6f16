package fleet

import (
	"time"

	"robots/internal/session"
)

// The timing wheel: every timer session sits in one of ten slots, one slot
// comes up each 10 ms, so each session ticks once in 100 ms and one wake-up
// serves a whole slot.
const (
	tickPeriod = 100 * time.Millisecond
	slotPeriod = 10 * time.Millisecond
	slots      = int(tickPeriod / slotPeriod)
)

type wheel [slots][]*session.Session

// put adds a session to the shortest slot.
func (w *wheel) put(s *session.Session) {
	shortest := 0
	for i := range w {
		if len(w[i]) < len(w[shortest]) {
			shortest = i
		}
	}
	w[shortest] = append(w[shortest], s)
}

// remove takes a session out, wherever it sits.
func (w *wheel) remove(s *session.Session) {
	for i, slot := range w {
		for j := range slot {
			if slot[j] == s {
				slot[j] = slot[len(slot)-1]
				slot[len(slot)-1] = nil
				w[i] = slot[:len(slot)-1]
				return
			}
		}
	}
}
