package session

const historyLength = 32

// history is the ring of the session's last events. Its entries are separate
// objects that go stale one by one, as in a chat log: steady small garbage of
// old age.
type history struct {
	entries [historyLength]*entry
	next    int
}

type entry struct {
	sequence int64
	kind     string
	text     string
}

func newHistory() *history { return &history{} }

func (h *history) add(sequence int64, kind, text string) {
	h.entries[h.next] = &entry{sequence: sequence, kind: kind, text: text}
	h.next = (h.next + 1) % historyLength
}

// last is the newest entry; the ring is never empty after New.
func (h *history) last() *entry {
	return h.entries[(h.next+historyLength-1)%historyLength]
}
