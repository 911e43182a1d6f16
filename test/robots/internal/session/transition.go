package session

import "strconv"

// snapshotSlots and journalBytes make a transition's two copies: the context
// as the next state sees it, and the record that is written to the journal.
var (
	snapshotSlots = 120
	journalBytes  = 8 << 10
)

type slot struct {
	key   string
	value any
	owner *Session
	extra [3]int64
}

// Transition moves the session's state machine one step on: it copies the
// context, encodes it for the journal and opens the next step of the dialog;
// about 16 KB of short-lived garbage.
func (s *Session) Transition() {
	s.sequence++
	snapshot := s.contextSnapshot()
	record := make([]byte, 0, journalBytes)
	for i := range snapshot {
		record = append(record, snapshot[i].key...)
		record = append(record, '=')
		record = strconv.AppendInt(record, snapshot[i].extra[0], 10)
		record = append(record, ';')
	}
	s.openStep()
	s.history.add(s.sequence, "transition", s.dialog.name)
	s.transport.Send(record)
}

// contextSnapshot copies the attributes into slots that the next state may
// change without being seen by the one before.
func (s *Session) contextSnapshot() []slot {
	snapshot := make([]slot, snapshotSlots)
	i := 0
	for key, value := range s.attributes {
		snapshot[i].key, snapshot[i].value = key, value
		snapshot[i].owner = s
		snapshot[i].extra[0] = s.sequence
		i++
	}
	return snapshot
}

// openStep puts a new step in front of the dialog and closes its oldest, so
// that the dialog keeps its length.
func (s *Session) openStep() {
	s.dialog = &node{name: "step-" + strconv.FormatInt(s.sequence, 10), next: s.dialog}
	n := s.dialog
	for range dialogNodes - 1 {
		n = n.next
	}
	n.next = nil
}
