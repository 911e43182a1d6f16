package faults

import (
	"context"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// longestStop is the upper bound of the highest bucket of the runtime's
// stopping times that holds a pause.
func longestStop() time.Duration {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	longest := 0.0
	for i, n := range h.Counts {
		if n > 0 {
			longest = h.Buckets[i+1]
		}
	}
	return time.Duration(longest * float64(time.Second))
}

func TestADigestHoldsUpTheStoppingOfTheWorld(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	if err := Digest(time.Millisecond); err != nil { // calibrates
		t.Fatal(err)
	}
	runtime.GC()
	before := longestStop()
	var f Faults
	if !f.StartDigest(400 * time.Millisecond) {
		t.Fatal("a digest was running already")
	}
	if f.StartDigest(time.Millisecond) {
		t.Error("a second digest was started beside the first")
	}
	time.Sleep(50 * time.Millisecond) // the digest is under way
	runtime.GC()
	f.oneTime.Wait()
	if after := longestStop(); after < 100*time.Millisecond {
		t.Errorf("longest stop %v, %v before", after, before)
	}
}

func TestLeaksGrowAtTheirRateAndStayUntilReleased(t *testing.T) {
	var f Faults
	f.SetLeak(20 << 20)
	f.SetGoroutineLeak(100)
	liveBefore, goroutinesBefore := liveHeap(), runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	f.Run(ctx)
	seconds := time.Since(start).Seconds()

	f.SetLeak(0)
	grown := float64(liveHeap() - liveBefore)
	want := 20 * (1 << 20) * seconds
	if grown < 0.8*want || grown > 1.2*want {
		t.Errorf("%.1f MB leaked in %.2f s, want %.1f", grown/1e6, seconds, want/1e6)
	}
	if leaked := float64(f.LeakedGoroutines()); leaked < 80*seconds || leaked > 101*seconds {
		t.Errorf("%.0f goroutines leaked in %.2f s, want 100 a second", leaked, seconds)
	}
	if more := runtime.NumGoroutine() - goroutinesBefore; more < f.LeakedGoroutines() {
		t.Errorf("%d goroutines more, %d leaked", more, f.LeakedGoroutines())
	}

	f.Release()
	if left := float64(liveHeap() - liveBefore); left > 0.2*want {
		t.Errorf("%.1f MB were left after the release", left/1e6)
	}
	if f.LeakedGoroutines() != 0 {
		t.Errorf("%d goroutines were left after the release", f.LeakedGoroutines())
	}
}

func TestAReloadAllocatesItsBytesAndKeepsNone(t *testing.T) {
	var f Faults
	live := liveHeap()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if !f.StartReload(64 << 20) {
		t.Fatal("a reload was running already")
	}
	f.oneTime.Wait()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got < 64<<20 || got > 66<<20 {
		t.Errorf("%d bytes allocated, want 64 MiB", got)
	}
	if kept := liveHeap() - live; kept > 1<<20 {
		t.Errorf("%d bytes kept", kept)
	}
}

func TestWhatIsHeldIsAliveUntilItIsLetGo(t *testing.T) {
	var f Faults
	live := liveHeap()
	for _, mib := range []int64{8, 24, 3, 0} {
		f.Hold(int(mib << 20))
		if more := liveHeap() - live; more < mib<<20-1<<19 || more > mib<<20+1<<20 {
			t.Errorf("%d MiB are held, %d bytes are alive", mib, more)
		}
	}
}

func TestGarbageComesAtItsRate(t *testing.T) {
	var f Faults
	f.SetGarbage(40 << 20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	f.Run(ctx)
	want := 40 * (1 << 20) * time.Since(start).Seconds()
	runtime.ReadMemStats(&after)
	if got := float64(after.TotalAlloc - before.TotalAlloc); got < 0.8*want || got > 1.1*want {
		t.Errorf("%.1f MB allocated, want %.1f", got/1e6, want/1e6)
	}
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
