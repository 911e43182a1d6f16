// Package session is one long-lived robot conversation: its state of a few
// KiB and what each kind of event does to it. The sizes are those of a real
// robot framework: 1.2 KB allocated per message, 16 KB per state transition,
// 0.8 KB per timer tick; sizes_test.go measures them.
package session

import (
	"fmt"
	"strconv"
)

// Mode is the way a session is driven.
type Mode uint8

// The three ways, in the order in which a mixed fleet deals them out.
const (
	MessageDriven Mode = iota
	StateMachine
	Timer
	Modes = 3
)

// String is the word the flags and metrics use for the mode.
func (m Mode) String() string {
	return [Modes]string{"message", "state", "timer"}[m]
}

// Transport takes the frames that a session sends to its peer. It keeps none.
type Transport interface {
	Send(frame []byte)
}

// Session is owned by one goroutine at a time.
type Session struct {
	ID   uint32
	Mode Mode

	attributes map[string]string
	counters   map[string]int64
	readBuffer []byte
	writeQueue []byte
	history    *history
	dialog     *node
	transport  Transport
	sequence   int64
}

const (
	attributeCount = 12
	counterCount   = 8
	bufferBytes    = 1 << 10
	dialogNodes    = 12
)

// New makes a session with the state that a robot gathers within its first
// minutes, so that a fresh fleet has the live heap of a settled one.
func New(id uint32, mode Mode, transport Transport) *Session {
	s := &Session{
		ID:         id,
		Mode:       mode,
		attributes: make(map[string]string, attributeCount),
		counters:   make(map[string]int64, counterCount),
		readBuffer: make([]byte, bufferBytes),
		writeQueue: make([]byte, bufferBytes),
		history:    newHistory(),
		transport:  transport,
	}
	for i := range attributeCount {
		s.attributes["attribute."+strconv.Itoa(i)] = fmt.Sprintf("value-%08d-%02d", id, i)
	}
	for i := range counterCount {
		s.counters["counter."+strconv.Itoa(i)] = int64(i)
	}
	for i := range dialogNodes {
		s.dialog = &node{name: fmt.Sprintf("step-%d-%d", id, i), next: s.dialog}
	}
	for i := range historyLength {
		s.history.add(int64(i), "opened", fmt.Sprintf("session %d opened, step %d", id, i))
	}
	return s
}

// node is one open step of the session's dialog.
type node struct {
	name string
	next *node
}
