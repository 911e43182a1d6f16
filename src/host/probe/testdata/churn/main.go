// Churn allocates on several goroutines over a live heap, starts and stops on request, and reports what
// the runtime itself counted: the oracle that the probe is held against.
//
// Requests are lines on stdin: "start", "stop", "gc", "gcs COUNT", "beat COUNT PERIOD", "rest", "gogc PERCENT", "limit BYTES", "walk", "memstats",
// "trace FILE", "untrace", "report", "quit".
// Every request is answered by one JSON line on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	next *node
	data [480]byte
}

type histogram struct {
	BoundsSeconds []string `json:"boundsSeconds"`
	Counts        []uint64 `json:"counts"`
}

type report struct {
	Pid              int       `json:"pid"`
	NumGC            uint64    `json:"numGC"`
	ForcedGC         uint64    `json:"forcedGC"`
	HeapLiveBytes    uint64    `json:"heapLiveBytes"`
	HeapGoalBytes    uint64    `json:"heapGoalBytes"`
	GoGC             uint64    `json:"gogc"`
	MemoryLimitBytes uint64    `json:"memoryLimitBytes"`
	StackScanBytes   uint64    `json:"stackScanBytes"`
	GlobalsScanBytes uint64    `json:"globalsScanBytes"`
	AllocBytes       uint64    `json:"allocBytes"`
	AssistCPUSeconds float64   `json:"assistCpuSeconds"`
	DedicatedSeconds float64   `json:"dedicatedCpuSeconds"`
	IdleSeconds      float64   `json:"idleCpuSeconds"`
	PauseCPUSeconds  float64   `json:"pauseCpuSeconds"`
	TotalCPUSeconds  float64   `json:"gcCpuSeconds"`
	LastLimitedCycle uint64    `json:"lastLimitedCycle"`
	PausesTotal      histogram `json:"pausesTotal"`
	PausesStopping   histogram `json:"pausesStopping"`
	OtherPausesTotal histogram `json:"otherPausesTotal"`
	MaxProcs         int       `json:"maxProcs"`
}

var (
	running atomic.Bool
	workers sync.WaitGroup
	live    []*node
)

func list(length int) *node {
	var head *node
	for range make([]struct{}, length) {
		head = &node{next: head}
	}
	return head
}

// walk fails where the live heap is not what was put there.
func walk() {
	for i, head := range live {
		length := 0
		for n := head; n != nil; n = n.next {
			if n.data != [480]byte{} {
				panic(fmt.Sprintf("list %d: a node with data that nobody wrote", i))
			}
			length++
		}
		if length != 64 {
			panic(fmt.Sprintf("list %d has %d nodes", i, length))
		}
	}
}

// work replaces parts of the live heap, so that most of what is allocated dies young and some does not.
func work(worker, stride int) {
	defer workers.Done()
	for i := worker; running.Load(); i += stride {
		live[i%len(live)] = list(64)
		runtime.Gosched()
	}
}

// serve does the same work, each list on a goroutine that comes and goes with it, as servers do with messages.
func serve(worker, stride int) {
	defer workers.Done()
	done := make(chan struct{})
	for i := worker; running.Load(); i += stride {
		go func() {
			live[i%len(live)] = list(64)
			done <- struct{}{}
		}()
		<-done
	}
}

// beat collects on a schedule that does not wait: what comes late is made up for.
func beat(count int, period time.Duration) {
	defer workers.Done()
	start := time.Now()
	for i := range count {
		time.Sleep(time.Until(start.Add(time.Duration(i+1) * period)))
		runtime.GC()
	}
}

func read() report {
	names := []string{
		"/gc/cycles/total:gc-cycles", "/gc/cycles/forced:gc-cycles", "/gc/heap/live:bytes",
		"/gc/heap/goal:bytes", "/gc/gogc:percent", "/gc/gomemlimit:bytes", "/gc/scan/stack:bytes",
		"/gc/scan/globals:bytes", "/gc/heap/allocs:bytes", "/cpu/classes/gc/mark/assist:cpu-seconds",
		"/cpu/classes/gc/mark/dedicated:cpu-seconds", "/cpu/classes/gc/mark/idle:cpu-seconds",
		"/sched/pauses/total/gc:seconds", "/sched/pauses/stopping/gc:seconds", "/sched/pauses/total/other:seconds",
		"/cpu/classes/gc/pause:cpu-seconds", "/cpu/classes/gc/total:cpu-seconds", "/gc/limiter/last-enabled:gc-cycle",
	}
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	hist := func(i int) histogram {
		h := samples[i].Value.Float64Histogram()
		bounds := make([]string, len(h.Buckets))
		for j, b := range h.Buckets {
			bounds[j] = fmt.Sprint(b) // JSON has no infinity
		}
		return histogram{bounds, h.Counts}
	}
	return report{
		Pid: os.Getpid(), NumGC: samples[0].Value.Uint64(), ForcedGC: samples[1].Value.Uint64(),
		HeapLiveBytes: samples[2].Value.Uint64(), HeapGoalBytes: samples[3].Value.Uint64(),
		GoGC: samples[4].Value.Uint64(), MemoryLimitBytes: samples[5].Value.Uint64(),
		StackScanBytes: samples[6].Value.Uint64(), GlobalsScanBytes: samples[7].Value.Uint64(),
		AllocBytes: samples[8].Value.Uint64(), AssistCPUSeconds: samples[9].Value.Float64(),
		DedicatedSeconds: samples[10].Value.Float64(), IdleSeconds: samples[11].Value.Float64(),
		PausesTotal: hist(12), PausesStopping: hist(13), OtherPausesTotal: hist(14),
		PauseCPUSeconds: samples[15].Value.Float64(), TotalCPUSeconds: samples[16].Value.Float64(),
		LastLimitedCycle: samples[17].Value.Uint64(),
		MaxProcs:         runtime.GOMAXPROCS(0),
	}
}

func main() {
	lists := flag.Int("lists", 600, "live lists of 64 nodes, 31 KiB each")
	goroutines := flag.Int("goroutines", 8, "goroutines that allocate")
	messages := flag.Bool("messages", false, "a new goroutine for each list")
	gcEvery := flag.Duration("gc-every", 0, "collect that often and take no requests")
	flag.Parse()
	live = make([]*node, *lists)
	for i := range live {
		live[i] = list(64)
	}

	for *gcEvery > 0 {
		runtime.GC()
		time.Sleep(*gcEvery)
	}
	answer := json.NewEncoder(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		switch words[0] {
		case "start":
			running.Store(true)
			workers.Add(*goroutines)
			loop := work
			if *messages {
				loop = serve
			}
			for i := 0; i < *goroutines; i++ {
				go loop(i, *goroutines)
			}
		case "stop":
			running.Store(false)
			workers.Wait()
			// Let a cycle that is under way end, so that what follows is at rest.
			for before := uint64(0); ; time.Sleep(50 * time.Millisecond) {
				var stats debug.GCStats
				debug.ReadGCStats(&stats)
				if uint64(stats.NumGC) == before {
					break
				}
				before = uint64(stats.NumGC)
			}
		case "gc":
			runtime.GC()
		case "gcs":
			var count int
			fmt.Sscan(words[1], &count)
			for i := 0; i < count; i++ {
				runtime.GC()
			}
		case "beat":
			count, _ := strconv.Atoi(words[1])
			period, _ := time.ParseDuration(words[2])
			workers.Add(1)
			go beat(count, period)
		case "rest":
			workers.Wait()
		case "trace":
			file, err := os.Create(words[1])
			if err == nil {
				err = trace.Start(file)
			}
			if err != nil {
				panic(err)
			}
		case "untrace":
			trace.Stop()
		case "gogc":
			percent, _ := strconv.Atoi(words[1])
			debug.SetGCPercent(percent)
		case "walk":
			walk()
		case "limit":
			var limit int64
			fmt.Sscan(words[1], &limit)
			debug.SetMemoryLimit(limit)
		case "memstats":
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
		case "quit":
			return
		}
		answer.Encode(read())
	}
}
