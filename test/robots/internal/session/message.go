package session

import (
	"bytes"
	"strconv"
)

// Inbound is what a peer sends: key=value fields on one line.
var Inbound = []byte("intent=order.status;channel=chat;locale=en-GB;user=2718281828;order=A-31415926;" +
	"device=robot-arm-7;text=where is my order, it should have been here an hour ago?;trace=9f86d081884c7d65")

// frameBytes is what the framework reserves to read one message.
var frameBytes = 352

// replyBytes is what it reserves to answer one.
var replyBytes = 256

type field struct {
	key, value []byte
}

// HandleMessage reads one message, updates the session and answers: about
// 1.2 KB of short-lived garbage.
func (s *Session) HandleMessage(wire []byte) {
	frame := make([]byte, frameBytes)
	n := copy(frame, wire)
	fields := parseFields(frame[:n])
	s.sequence++
	reply := make([]byte, 0, replyBytes)
	reply = append(reply, "seq="...)
	reply = strconv.AppendInt(reply, s.sequence, 10)
	for _, f := range fields {
		reply = append(reply, ';')
		reply = append(reply, f.key...)
		reply = append(reply, "=ok"...)
		s.counters["counter."+string('0'+rune(len(f.value)%counterCount))]++
	}
	s.history.add(s.sequence, "message", string(reply[:min(len(reply), 64)]))
	copy(s.readBuffer, wire)
	s.transport.Send(reply)
}

// parseFields splits `key=value;…`; a part without `=` has an empty value.
func parseFields(line []byte) []field {
	fields := make([]field, 0, bytes.Count(line, []byte{';'})+1)
	for len(line) > 0 {
		part, rest, _ := bytes.Cut(line, []byte{';'})
		key, value, _ := bytes.Cut(part, []byte{'='})
		fields = append(fields, field{key, value})
		line = rest
	}
	return fields
}
