package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"robots/internal/books"
	"robots/internal/expo"
	"robots/internal/hist"
)

const bodyLimitBytes = 64 << 10

// Handler serves /control, /runtime, /stats and /healthz.
func Handler(r Robot) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, r.Settings()) })
	mux.HandleFunc("PATCH /control", r.patch)
	mux.HandleFunc("GET /runtime", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, books.Read()) })
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, statsOf(r)) })
	mux.HandleFunc("GET /healthz", Health)
	return mux
}

// MetricsHandler serves /metrics and /healthz.
func MetricsHandler(r Robot) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", expo.ContentType)
		_ = WriteMetrics(w, r) // the scraper went away
	})
	mux.HandleFunc("GET /healthz", Health)
	return mux
}

// Health answers as long as the process serves at all.
func Health(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

func (r Robot) patch(w http.ResponseWriter, req *http.Request) {
	change, err := decode(http.MaxBytesReader(w, req.Body, bodyLimitBytes))
	if err == nil {
		err = r.Apply(change)
	}
	if err == nil {
		reply(w, http.StatusOK, r.Settings())
		return
	}
	refusal := &Error{Code: "Invalid", Message: err.Error()}
	errors.As(err, &refusal)
	status := http.StatusBadRequest
	if refusal.Code == "Busy" {
		status = http.StatusConflict
	}
	reply(w, status, map[string]*Error{"error": refusal})
}

// decode reads one JSON object of known fields.
func decode(body io.Reader) (Change, error) {
	var c Change
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) && wrongType.Field != "" {
			return c, invalid(wrongType.Field, "%s is a %s; give %s", wrongType.Field, wrongType.Value, wanted(wrongType))
		}
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return c, invalid(strings.Trim(field, `"`), "there is no setting %s; GET /control lists what there is", field)
		}
		return c, invalid("", "the body is not a JSON object of settings: %v", err)
	}
	if d.More() {
		return c, invalid("", "the body holds more than one JSON object; send one")
	}
	return c, nil
}

func wanted(e *json.UnmarshalTypeError) string {
	if e.Type.Kind() == reflect.Bool {
		return "true or false"
	}
	return "a whole number"
}

// stats are the fleet's figures since start, latencies in nanoseconds from the
// scheduled arrival. Time and CPU time are of the very moment, so that rates
// between two readings do not suffer from a slow answer.
type stats struct {
	UptimeNs     int64    `json:"uptimeNs"`
	CPUNs        int64    `json:"cpuNs"`
	PeakResident int64    `json:"peakResidentBytes"`
	Active       int      `json:"active"`
	Events       uint64   `json:"events"`
	Dropped      uint64   `json:"dropped"`
	LatencyP50Ns int64    `json:"latencyP50Ns"`
	LatencyP99Ns int64    `json:"latencyP99Ns"`
	LatencyMaxNs int64    `json:"latencyMaxNs"`
	BoundsNs     []int64  `json:"latencyBoundsNs"` // upper bounds of the counts; the last count has none
	Counts       []uint64 `json:"latencyCounts"`
}

func statsOf(r Robot) stats {
	s := r.Fleet.Stats()
	return stats{
		UptimeNs: int64(books.Uptime()), CPUNs: int64(books.CPUTime()), PeakResident: books.PeakResident(),
		Active: s.Active, Events: s.Latency.Count(), Dropped: s.Dropped,
		LatencyP50Ns: s.Latency.QuantileNs(0.5), LatencyP99Ns: s.Latency.QuantileNs(0.99), LatencyMaxNs: s.Latency.MaxNs,
		BoundsNs: hist.BoundsNs[:], Counts: s.Latency.Counts[:],
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}
