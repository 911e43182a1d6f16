// Metrics as Prometheus's own client library exposes them, and its own parser: the oracle of the scrape's tests.
// Prints its address, serves until stdin is closed.
//
//	GET  /metrics    OpenMetrics where it is asked for, else text
//	GET  /text       text, whatever is asked for
//	POST /sum?name=N the sum of N's samples in the body, in the text format: {"value": 1.5, "samples": 2}, or 400
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func main() {
	registry := prometheus.NewRegistry()
	sessions := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "robot_active_sessions", Help: "Open \"sessions\"\\shards,\nby tenant."}, []string{"tenant"})
	for tenant, count := range map[string]float64{"plain": 1200, "q\"uo\\te\nd } # EOF": 800.5, "ünïcode": 1e-3} {
		sessions.WithLabelValues(tenant).Set(count)
	}
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "robot_messages_total", Help: "Messages."}, []string{"kind"})
	for _, kind := range []string{"a", "b"} {
		messages.WithLabelValues(kind).(prometheus.ExemplarAdder).AddWithExemplar(7.5, prometheus.Labels{"trace_id": "x\" } # {"})
	}
	// OpenMetrics does not take this name for a counter.
	logins := prometheus.NewCounter(prometheus.CounterOpts{Name: "robot_logins", Help: "Logins."})
	logins.Add(3)
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "robot_latency_seconds", Help: "Latency.", Buckets: []float64{0.1, 1}})
	for _, seconds := range []float64{0.05, 0.5, 5} {
		latency.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": "y"})
	}
	registry.MustRegister(sessions, messages, logins, latency)

	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true}))
	http.Handle("/text", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	http.HandleFunc("/sum", sum)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go http.Serve(listener, nil)
	io.Copy(io.Discard, os.Stdin)
}

func sum(response http.ResponseWriter, request *http.Request) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(request.Body)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	answer := struct {
		Value   float64 `json:"value"`
		Samples int     `json:"samples"`
	}{}
	for _, metric := range families[request.URL.Query().Get("name")].GetMetric() {
		value := metric.GetUntyped().GetValue() + metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		if math.IsNaN(value) {
			continue
		}
		answer.Value += value
		answer.Samples++
	}
	json.NewEncoder(response).Encode(answer)
}
