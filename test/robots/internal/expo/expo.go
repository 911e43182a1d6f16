// Package expo writes the Prometheus text exposition format, version 0.0.4.
package expo

import (
	"fmt"
	"io"
	"strconv"
)

// ContentType is the header that goes with the format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Writer writes families of samples one after the other and keeps the first error.
type Writer struct {
	out io.Writer
	err error
}

// New writes to out.
func New(out io.Writer) *Writer { return &Writer{out: out} }

// Err is the first error of the underlying writer.
func (w *Writer) Err() error { return w.err }

func (w *Writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format, args...)
	}
}

// Family opens a metric: its help and its type. The help needs no escaping as
// long as it is one line without backslashes.
func (w *Writer) Family(name, kind, help string) {
	w.printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// Sample writes one value, labels (`{a="b"}` or nothing) as they are.
func (w *Writer) Sample(name, labels string, value float64) {
	w.printf("%s%s %s\n", name, labels, number(value))
}

// Gauge is a family of one sample.
func (w *Writer) Gauge(name, help string, value float64) {
	w.Family(name, "gauge", help)
	w.Sample(name, "", value)
}

// Counter is a family of one sample that only grows.
func (w *Writer) Counter(name, help string, value float64) {
	w.Family(name, "counter", help)
	w.Sample(name, "", value)
}

// Histogram writes cumulative buckets from plain ones: counts[i] belongs to
// boundsNs[i], one more count is everything above. Units become seconds.
func (w *Writer) Histogram(name, help string, boundsNs []int64, counts []uint64, sumNs int64) {
	w.Family(name, "histogram", help)
	var below uint64
	for i, bound := range boundsNs {
		below += counts[i]
		w.Sample(name+"_bucket", fmt.Sprintf(`{le="%s"}`, number(float64(bound)/1e9)), float64(below))
	}
	below += counts[len(boundsNs)]
	w.Sample(name+"_bucket", `{le="+Inf"}`, float64(below))
	w.Sample(name+"_sum", "", float64(sumNs)/1e9)
	w.Sample(name+"_count", "", float64(below))
}

// number is the shortest text that reads back as the same float64.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
