package hist

import (
	"math/rand"
	"slices"
	"sync"
	"testing"
)

func TestBoundsRiseFromTenMicrosecondsToTenSeconds(t *testing.T) {
	if BoundsNs[0] != 10_000 || BoundsNs[buckets-1] != 10_000_000_000 {
		t.Fatalf("bounds run from %d to %d ns", BoundsNs[0], BoundsNs[buckets-1])
	}
	if !slices.IsSorted(BoundsNs[:]) {
		t.Fatal("bounds are not sorted")
	}
}

func TestAnObservationFallsIntoTheBucketWhoseBoundIncludesIt(t *testing.T) {
	for _, c := range []struct {
		ns     int64
		bucket int
	}{
		{-5, 0}, {0, 0}, {10_000, 0}, {10_001, 1}, {100_000, perDecade}, {100_001, perDecade + 1},
		{10_000_000_000, buckets - 1}, {10_000_000_001, buckets},
	} {
		var h Histogram
		h.Observe(c.ns)
		s := h.Snapshot()
		if s.Counts[c.bucket] != 1 || s.Count() != 1 {
			t.Errorf("%d ns: bucket %d holds %d of %d", c.ns, c.bucket, s.Counts[c.bucket], s.Count())
		}
	}
}

func TestQuantilesAreNeverBelowTheTrueOnesAndAtMostABucketAbove(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for range 50 {
		var h Histogram
		values := make([]int64, 1+random.Intn(5000))
		for i := range values {
			values[i] = 10_000 + random.Int63n(1<<uint(15+random.Intn(15)))
			h.Observe(values[i])
		}
		slices.Sort(values)
		s := h.Snapshot()
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			rank := int(q*float64(len(values)) + 0.999999)
			truth := values[max(rank, 1)-1]
			got := s.QuantileNs(q)
			if got < truth || float64(got) > 1.26*float64(truth) {
				t.Fatalf("q %.2f of %d values: %d, true %d", q, len(values), got, truth)
			}
		}
	}
}

func TestNothingObservedHasQuantileZero(t *testing.T) {
	var s Snapshot
	if s.QuantileNs(0.99) != 0 {
		t.Fatal(s.QuantileNs(0.99))
	}
}

func TestConcurrentObservationsAreAllCounted(t *testing.T) {
	var h Histogram
	var all sync.WaitGroup
	for g := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 10_000 {
				h.Observe(int64(i * (g + 1)))
			}
		}()
	}
	all.Wait()
	s := h.Snapshot()
	if s.Count() != 40_000 || s.MaxNs != 39_996 {
		t.Fatalf("%d counted, max %d", s.Count(), s.MaxNs)
	}
}

func TestMergeAddsCountsAndKeepsTheSlowest(t *testing.T) {
	var a, b Histogram
	a.Observe(20_000)
	b.Observe(50_000)
	b.Observe(5_000)
	s := a.Snapshot()
	s.Merge(b.Snapshot())
	if s.Count() != 3 || s.SumNs != 75_000 || s.MaxNs != 50_000 {
		t.Fatalf("%+v", s)
	}
}
