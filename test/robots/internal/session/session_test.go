package session

import (
	"bytes"
	"strings"
	"testing"
)

type recorder struct{ frames [][]byte }

func (r *recorder) Send(frame []byte) { r.frames = append(r.frames, bytes.Clone(frame)) }

func TestAMessageIsAnsweredFieldByFieldAndRemembered(t *testing.T) {
	out := &recorder{}
	s := New(1, MessageDriven, out)
	s.HandleMessage([]byte("intent=order;text=hello"))
	if got := string(out.frames[0]); got != "seq=1;intent=ok;text=ok" {
		t.Fatalf("answered %q", got)
	}
	if last := s.history.last(); last.kind != "message" || last.text != "seq=1;intent=ok;text=ok" {
		t.Fatalf("remembered %+v", last)
	}
	if !bytes.HasPrefix(s.readBuffer, []byte("intent=order")) {
		t.Fatalf("read buffer holds %q", s.readBuffer[:16])
	}
}

func TestAMessageCountsItsFields(t *testing.T) {
	s := New(1, MessageDriven, &recorder{})
	s.HandleMessage([]byte("a=xxx;b=yyy;c"))
	if s.counters["counter.3"] != 3+2 || s.counters["counter.0"] != 0+1 {
		t.Fatalf("%v", s.counters)
	}
}

func TestATransitionJournalsEveryAttributeAndKeepsTheDialogLength(t *testing.T) {
	out := &recorder{}
	s := New(7, StateMachine, out)
	for range 40 {
		s.Transition()
	}
	record := string(out.frames[39])
	for i := range attributeCount {
		if !strings.Contains(record, "attribute."+string(rune('0'+i%10))) {
			t.Fatalf("attribute %d is not in %q", i, record)
		}
	}
	length := 0
	for n := s.dialog; n != nil; n = n.next {
		length++
	}
	if length != dialogNodes || s.dialog.name != "step-40" {
		t.Fatalf("dialog of %d steps, newest %q", length, s.dialog.name)
	}
}

func TestTheHistoryKeepsTheNewestEventsOnly(t *testing.T) {
	s := New(7, MessageDriven, &recorder{})
	for range 3 * historyLength {
		s.HandleMessage(Inbound)
	}
	oldest := s.history.entries[s.history.next]
	if oldest.sequence != 2*historyLength+1 || s.history.last().sequence != 3*historyLength {
		t.Fatalf("history runs from %d to %d", oldest.sequence, s.history.last().sequence)
	}
}

func TestATickSendsAHeartbeatWithTheSessionsNumber(t *testing.T) {
	out := &recorder{}
	New(258, Timer, out).Tick()
	if !bytes.HasPrefix(out.frames[0], []byte{2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}) {
		t.Fatalf("heartbeat % x", out.frames[0])
	}
}

func FuzzFieldsRejoinToTheLine(f *testing.F) {
	f.Add([]byte("a=b;c=d"))
	f.Add([]byte(";;==;"))
	f.Fuzz(func(t *testing.T, line []byte) {
		parts := bytes.Split(bytes.TrimSuffix(line, []byte{';'}), []byte{';'})
		fields := parseFields(line)
		if len(line) == 0 {
			parts = nil
		}
		if len(fields) != len(parts) {
			t.Fatalf("%d fields in %q, want %d", len(fields), line, len(parts))
		}
		for i, part := range parts {
			joined := append(bytes.Clone(fields[i].key), fields[i].value...)
			if !bytes.Equal(joined, bytes.Replace(part, []byte{'='}, nil, 1)) {
				t.Fatalf("field %d of %q is %q", i, line, joined)
			}
		}
	})
}
