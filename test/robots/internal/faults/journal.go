package faults

import "time"

// recordBytes is what one record of the journal keeps alive.
const recordBytes = 4 << 10

// journal is a log that somebody forgot to truncate: a linked list, so that the
// collector has to walk it as well.
type journal struct {
	newest  *record
	records int
}

type record struct {
	at       time.Time
	previous *record
	body     [recordBytes - 40]byte // with the fields above and the runtime's header it fills a size class
}

//go:noinline
func (j *journal) append() {
	r := &record{at: time.Now(), previous: j.newest}
	for i := 0; i < len(r.body); i += 512 {
		r.body[i] = byte(i >> 9)
	}
	j.newest = r
	j.records++
}

// drop lets go of the newest record.
func (j *journal) drop() {
	j.newest = j.newest.previous
	j.records--
}

// listenForever leaves behind a goroutine that waits for an answer which
// nobody sends; closing the channel ends it.
func listenForever() chan struct{} {
	done := make(chan struct{})
	go awaitAnswer(done)
	return done
}

func awaitAnswer(done <-chan struct{}) { <-done }
