package expo

import (
	"errors"
	"strings"
	"testing"
)

func TestAHistogramIsCumulativeAndInSeconds(t *testing.T) {
	var out strings.Builder
	w := New(&out)
	w.Histogram("h", "How long.", []int64{10_000, 2_500_000}, []uint64{3, 0, 2}, 1_500_000_000)
	want := `# HELP h How long.
# TYPE h histogram
h_bucket{le="1e-05"} 3
h_bucket{le="0.0025"} 3
h_bucket{le="+Inf"} 5
h_sum 1.5
h_count 5
`
	if out.String() != want || w.Err() != nil {
		t.Errorf("%v\n%s", w.Err(), out.String())
	}
}

func TestGaugesAndCountersCarryTheirType(t *testing.T) {
	var out strings.Builder
	w := New(&out)
	w.Gauge("g", "A level.", 12345678)
	w.Family("c", "counter", "Events.")
	w.Sample("c", `{mode="timer"}`, 1)
	want := "# HELP g A level.\n# TYPE g gauge\ng 1.2345678e+07\n# HELP c Events.\n# TYPE c counter\nc{mode=\"timer\"} 1\n"
	if out.String() != want {
		t.Error(out.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestTheFirstWriteErrorIsKept(t *testing.T) {
	w := New(broken{})
	w.Gauge("g", "A level.", 1)
	if w.Err() == nil {
		t.Error("no error")
	}
}
