package session

import "encoding/binary"

// heartbeatBytes and sampleCount make the garbage of one timer tick: a frame
// and the samples that go into it, about 0.8 KB.
var (
	heartbeatBytes = 512
	sampleCount    = 32
)

// Tick is the session's 100 ms timer: it samples its counters and sends a
// heartbeat.
func (s *Session) Tick() {
	s.sequence++
	samples := make([]int64, 0, sampleCount)
	for _, value := range s.counters {
		samples = append(samples, value)
	}
	frame := make([]byte, 0, heartbeatBytes)
	frame = binary.LittleEndian.AppendUint32(frame, s.ID)
	frame = binary.LittleEndian.AppendUint64(frame, uint64(s.sequence))
	for _, value := range samples {
		frame = binary.AppendVarint(frame, value)
	}
	copy(s.writeQueue, frame)
	s.transport.Send(frame)
}
