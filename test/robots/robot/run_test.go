package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer may be read while the robot writes its log.
type lockedBuffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.String()
}

const anywhere = "127.0.0.1:0"

func testConfig(t *testing.T, args ...string) config {
	t.Helper()
	c, err := parse(append([]string{"-metrics", anywhere, "-control", anywhere, "-pprof", anywhere, "-sessions", "60"}, args...), environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// addresses waits for the log line that says where the robot listens.
func addresses(t *testing.T, log *lockedBuffer) (a struct{ Metrics, Control, Pprof string }) {
	t.Helper()
	for range 500 {
		for _, line := range strings.Split(log.String(), "\n") {
			if strings.Contains(line, `"serving"`) {
				if err := json.Unmarshal([]byte(line), &a); err != nil {
					t.Fatal(err)
				}
				return a
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the robot did not serve: %s", log.String())
	return a
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, response.Status, err)
	}
	return string(body)
}

func TestTheRobotServesUntilItIsEndedAndDrains(t *testing.T) {
	var log lockedBuffer
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, testConfig(t), slog.New(slog.NewJSONHandler(&log, nil)), io.Discard) }()
	a := addresses(t, &log)
	time.Sleep(300 * time.Millisecond)

	if body := get(t, "http://"+a.Metrics+"/metrics"); !strings.Contains(body, "\nrobot_active_sessions 60\n") {
		t.Errorf("metrics: %.300s", body)
	}
	if body := get(t, "http://"+a.Metrics+"/healthz"); body != "ok\n" {
		t.Errorf("health: %s", body)
	}
	if body := get(t, "http://"+a.Pprof+"/debug/pprof/goroutine?debug=2"); !strings.Contains(body, "fleet.(*worker).run") {
		t.Errorf("goroutines: %.300s", body)
	}
	if trace := get(t, "http://"+a.Pprof+"/debug/pprof/trace?seconds=0.2"); !strings.Contains(trace, "transition") || !strings.Contains(trace, "timer-slot") {
		t.Errorf("no user tasks in a trace of %d bytes", len(trace))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var last struct{ Events, Dropped uint64 }
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Events < 100 || last.Dropped != 0 {
		t.Errorf("%v %+v", err, last)
	}
}

func TestSaturationPrintsItsThroughput(t *testing.T) {
	var out bytes.Buffer
	var log lockedBuffer
	c := testConfig(t, "-saturate", "-duration", "300ms")
	if err := run(context.Background(), c, slog.New(slog.NewJSONHandler(&log, nil)), &out); err != nil {
		t.Fatal(err)
	}
	var got struct{ Events, Seconds, EventsPerSecond, CPUSeconds float64 }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.EventsPerSecond < 1000 || got.Seconds < 0.3 || got.CPUSeconds < 0.01 {
		t.Errorf("%+v", got)
	}
}

func TestAnAddressInUseEndsTheRobotWithItsName(t *testing.T) {
	c := testConfig(t)
	taken, err := serve(c, robotOf(t))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.shutdown(context.Background())
	c.controlAddr = taken.addr(1)
	err = run(context.Background(), c, slog.New(slog.NewJSONHandler(io.Discard, nil)), io.Discard)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("-control %s", taken.addr(1))) {
		t.Error(err)
	}
}
