package session

import (
	"runtime"
	"testing"
)

// allocated is the mean number of heap bytes that one call of act allocates.
func allocated(t *testing.T, act func()) float64 {
	t.Helper()
	const calls = 5000
	act()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		act()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / calls
}

type discard struct{}

func (discard) Send([]byte) {}

func TestEventsAllocateWhatARobotFrameworkAllocates(t *testing.T) {
	s := New(1, MessageDriven, discard{})
	for _, c := range []struct {
		name      string
		act       func()
		wantBytes float64
	}{
		{"message", func() { s.HandleMessage(Inbound) }, 1.2e3},
		{"transition", s.Transition, 16e3},
		{"tick", s.Tick, 0.8e3},
	} {
		got := allocated(t, c.act)
		if got < 0.9*c.wantBytes || got > 1.1*c.wantBytes {
			t.Errorf("a %s allocates %.0f bytes, want %.0f ± 10 %%", c.name, got, c.wantBytes)
		}
	}
}

func TestTenThousandSessionsAreSixtyToAHundredMegabytesAlive(t *testing.T) {
	const sessions = 2000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	fleet := make([]*Session, sessions)
	for i := range fleet {
		fleet[i] = New(uint32(i), Mode(i%Modes), discard{})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perSession := float64(after.HeapAlloc-before.HeapAlloc) / sessions
	if perSession < 6e3 || perSession > 10e3 {
		t.Errorf("a session holds %.0f bytes, want 6,000 to 10,000", perSession)
	}
	runtime.KeepAlive(fleet)
}
