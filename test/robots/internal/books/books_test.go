package books

import (
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestTheBooksCountTheCyclesAndPausesThatHappen(t *testing.T) {
	runtime.GC()
	before := Read()
	for range 5 {
		runtime.GC()
	}
	after := Read()
	if n := after.Uint("/gc/cycles/forced:gc-cycles") - before.Uint("/gc/cycles/forced:gc-cycles"); n != 5 {
		t.Errorf("%d forced cycles, want 5", n)
	}
	if n := pauses(t, after) - pauses(t, before); n < 10 {
		t.Errorf("%d pauses in five cycles, want two each", n)
	}
	if after.UptimeNs <= before.UptimeNs {
		t.Error("uptime stood still")
	}
}

func pauses(t *testing.T, b Books) (n uint64) {
	h, ok := b.Metrics["/sched/pauses/total/gc:seconds"].(Histogram)
	if !ok || len(h.Bounds) != len(h.Counts)+1 {
		t.Fatalf("pauses: %d bounds, %d counts", len(h.Bounds), len(h.Counts))
	}
	for _, c := range h.Counts {
		n += c
	}
	return n
}

func TestReadingTheBooksStopsNothing(t *testing.T) {
	others := func() (n uint64) {
		for _, c := range Read().Metrics["/sched/pauses/total/other:seconds"].(Histogram).Counts {
			n += c
		}
		return n
	}
	before := others()
	for range 20 {
		Read()
	}
	if more := others() - before; more != 0 {
		t.Errorf("%d stops of the world", more)
	}
}

func TestInfinitiesAndSmallBoundsSurviveJSON(t *testing.T) {
	text, err := json.Marshal([]Bound{Bound(math.Inf(-1)), 0, 6.4e-08, 0.1, Bound(math.Inf(1))})
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != `["-Infinity",0,6.4e-8,0.1,"Infinity"]` {
		t.Error(string(text))
	}
	whole, err := json.Marshal(Read())
	if err != nil || !strings.Contains(string(whole), `"/gc/gogc:percent":100`) {
		t.Errorf("%v in %.300s", err, whole)
	}
}

func TestUptimeAndProcessorTimeGrowWithWork(t *testing.T) {
	uptime, cpu := Uptime(), CPUTime()
	for i := 0; CPUTime() < cpu+20*time.Millisecond; i++ {
		if Uptime() > uptime+10*time.Second {
			t.Fatalf("ten seconds of work are %v of processor time", CPUTime()-cpu)
		}
	}
	if Uptime() <= uptime {
		t.Errorf("uptime went from %v to %v", uptime, Uptime())
	}
}

func TestThePeakOfResidentMemoryRises(t *testing.T) {
	before := PeakResident()
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	after := PeakResident()
	runtime.KeepAlive(block)
	if grown := after - before; before == 0 || grown < 32<<20 || grown > 96<<20 {
		t.Errorf("64 MiB more: %d, before %d", grown, before)
	}
}
