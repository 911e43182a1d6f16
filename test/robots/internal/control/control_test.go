package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"robots/internal/faults"
	"robots/internal/fleet"
	"robots/internal/session"
)

func newRobot(t *testing.T, modes ...session.Mode) Robot {
	t.Helper()
	f, err := fleet.New(fleet.Options{Modes: modes, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(context.Background()) })
	return Robot{Fleet: f, Faults: &faults.Faults{}}
}

func do(t *testing.T, r Robot, method, path, body string) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	Handler(r).ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
	text, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Code, string(text)
}

func TestAChangeSetsWhatItNamesAndLeavesTheRest(t *testing.T) {
	r := newRobot(t, session.MessageDriven, session.StateMachine)
	do(t, r, "PATCH", "/control", `{"messagesPerSecond": 500, "sessions": 12}`)
	code, body := do(t, r, "PATCH", "/control", `{"transitionsPerSecond": 7, "leakBytesPerSecond": 1024, "heldBytes": 8192, "garbageBytesPerSecond": 5, "paused": true}`)
	var got Settings
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
		t.Fatalf("%d %v %s", code, err, body)
	}
	want := Settings{
		Sessions: 12, MessagesPerSecond: 500, TransitionsPerSecond: 7, LeakBytesPerSecond: 1024, HeldBytes: 8192, GarbageBytesPerSecond: 5, Paused: true,
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestABadChangeIsRefusedAsAWholeWithASentence(t *testing.T) {
	r := newRobot(t, session.Timer)
	for _, c := range []struct{ name, body, field, says string }{
		{"negative", `{"sessions": -1}`, "sessions", "from 0 to 200000"},
		{"too much", `{"leakBytesPerSecond": 99999999999}`, "leakBytesPerSecond", "from 0 to 1073741824"},
		{"one-time fault of nothing", `{"spinMs": 0}`, "spinMs", "from 1 to 5000"},
		{"second field bad", `{"sessions": 9, "burstBytes": -2}`, "burstBytes", "from 1 to"},
		{"no such mode", `{"messagesPerSecond": 5}`, "messagesPerSecond", "-mode message or -mode mixed"},
		{"text", `{"sessions": "many"}`, "sessions", "whole number"},
		{"fraction", `{"sessions": 1.5}`, "sessions", "whole number"},
		{"no truth", `{"paused": 1}`, "paused", "true or false"},
		{"unknown", `{"session": 5}`, "session", "GET /control"},
		{"no object", `[1]`, "", "not a JSON object"},
		{"empty", ``, "", "not a JSON object"},
		{"two objects", `{"sessions": 5}{}`, "", "more than one"},
	} {
		code, body := do(t, r, "PATCH", "/control", c.body)
		var got struct{ Error Error }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v in %s", c.name, err, body)
		}
		if code != http.StatusBadRequest || got.Error.Field != c.field || !strings.Contains(got.Error.Message, c.says) {
			t.Errorf("%s: %d %+v", c.name, code, got.Error)
		}
	}
	if s := r.Settings(); s != (Settings{}) {
		t.Errorf("something was set: %+v", s)
	}
}

func TestASecondDigestBesideTheFirstIsAConflict(t *testing.T) {
	r := newRobot(t, session.Timer)
	if code, body := do(t, r, "PATCH", "/control", `{"spinMs": 200}`); code != http.StatusOK {
		t.Fatal(code, body)
	}
	code, body := do(t, r, "PATCH", "/control", `{"spinMs": 200}`)
	if code != http.StatusConflict || !strings.Contains(body, "Busy") {
		t.Error(code, body)
	}
}

func TestTheBooksAndFiguresAreServedAsJSON(t *testing.T) {
	r := newRobot(t, session.Timer)
	for path, key := range map[string]string{"/runtime": "metrics", "/stats": "latencyCounts", "/control": "sessions"} {
		code, body := do(t, r, "GET", path, "")
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK || got[key] == nil {
			t.Errorf("%s: %d %v %.80s", path, code, err, body)
		}
	}
}

func TestTheMetricsNameTheOpenSessions(t *testing.T) {
	r := newRobot(t, session.Timer)
	r.Fleet.SetSessions(42)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.Fleet.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	MetricsHandler(r).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"\nrobot_active_sessions 42\n", "\nrobot_events_total{mode=\"timer\"} 0\n", "\nrobot_event_latency_seconds_count 0\n", "\ngo_gc_gogc_percent 100\n",
	} {
		if !strings.Contains("\n"+rec.Body.String(), line) {
			t.Errorf("no line %q", line)
		}
	}
}
