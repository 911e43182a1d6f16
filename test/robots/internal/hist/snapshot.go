package hist

import "math"

// Snapshot is a histogram at one moment. Counts[i] belongs to BoundsNs[i]; the
// last count is of everything above the last bound.
type Snapshot struct {
	Counts [buckets + 1]uint64
	SumNs  int64
	MaxNs  int64
}

// Merge adds the counts of another snapshot to this one.
func (s *Snapshot) Merge(other Snapshot) {
	for i, n := range other.Counts {
		s.Counts[i] += n
	}
	s.SumNs += other.SumNs
	s.MaxNs = max(s.MaxNs, other.MaxNs)
}

// Count is the number of observations.
func (s Snapshot) Count() (n uint64) {
	for _, c := range s.Counts {
		n += c
	}
	return n
}

// QuantileNs is the upper bound of the bucket that holds the observation of
// rank ceil(q × count): never below the true quantile, never above the
// maximum. It is 0 when nothing was observed.
func (s Snapshot) QuantileNs(q float64) int64 {
	total := s.Count()
	if total == 0 {
		return 0
	}
	rank := max(uint64(math.Ceil(q*float64(total))), 1)
	var seen uint64
	for i, bound := range BoundsNs {
		seen += s.Counts[i]
		if seen >= rank {
			return min(bound, s.MaxNs)
		}
	}
	return s.MaxNs
}
