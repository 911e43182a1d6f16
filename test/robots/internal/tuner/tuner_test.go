package tuner

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMemorySpendsWhatIsLeftBelowTheThreshold(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		inUse       uint64
		least, most int
		want        int
	}{
		{100 * mib, 1, 1 << 30, 250},
		{330 * mib, 50, 500, 50},
		{10 * mib, 50, 500, 500},
		{10 * mib, 1, 1 << 30, 3400},
		{400 * mib, 1, 1 << 30, 1},
		{0, 50, 500, 100},
	} {
		if got := Memory(350*mib, c.least, c.most)(c.inUse); got != c.want {
			t.Errorf("%d MiB in use: GOGC %d, want %d", c.inUse/mib, got, c.want)
		}
	}
}

func TestSessionsGrowsWithTheRobots(t *testing.T) {
	active := 0
	formula := Sessions(10_000, func() int { return active })
	for sessions, want := range map[int]int{0: 100, 5_000: 100, 20_000: 200, 40_000: 400} {
		if active = sessions; formula(0) != want {
			t.Errorf("%d sessions: GOGC %d, want %d", sessions, formula(0), want)
		}
	}
}

// tuned is started once: it lives as long as the program.
var tuned = sync.OnceValue(func() *atomic.Int64 {
	var turns atomic.Int64
	Start(func(inUseBytes uint64) int {
		if inUseBytes == 0 {
			panic("nothing is in use")
		}
		return 100 + int(turns.Add(1))
	})
	return &turns
})

func TestAProgramIsTunedAfterEachCollection(t *testing.T) {
	turns := tuned()
	for range 3 {
		before := turns.Load()
		runtime.GC()
		for deadline := time.Now().Add(5 * time.Second); turns.Load() == before || gogc() <= 100+uint64(before); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("after a collection GOGC is %d, tuned %d times", gogc(), turns.Load())
			}
		}
	}
}

func gogc() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
