// Package faults holds the ways in which a robot can go wrong on purpose: leaks of
// memory and of goroutines, memory that is held, bursts of allocation, and work
// that cannot be preempted.
package faults

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// step is how often a leak grows.
const step = 100 * time.Millisecond

// Faults is safe for concurrent use. The zero value has no faults.
type Faults struct {
	leakBytesPerSecond     atomic.Int64
	goroutineLeakPerSecond atomic.Int64
	garbageBytesPerSecond  atomic.Int64

	mutex     sync.Mutex
	journal   journal
	held      journal
	heldBytes int
	listeners []chan struct{}

	digesting   atomic.Bool
	reloading   atomic.Bool
	oneTime     sync.WaitGroup
	leakedBytes atomic.Int64
}

// SetLeak sets how fast live memory grows; what has leaked stays.
func (f *Faults) SetLeak(bytesPerSecond int) { f.leakBytesPerSecond.Store(int64(bytesPerSecond)) }

// Leak is what SetLeak set.
func (f *Faults) Leak() int { return int(f.leakBytesPerSecond.Load()) }

// SetGoroutineLeak sets how many goroutines are left behind each second.
func (f *Faults) SetGoroutineLeak(perSecond int) { f.goroutineLeakPerSecond.Store(int64(perSecond)) }

// GoroutineLeak is what SetGoroutineLeak set.
func (f *Faults) GoroutineLeak() int { return int(f.goroutineLeakPerSecond.Load()) }

// SetGarbage sets how much is allocated each second beside what events need,
// evenly, and kept by nobody: handshakes, reloads.
func (f *Faults) SetGarbage(bytesPerSecond int) { f.garbageBytesPerSecond.Store(int64(bytesPerSecond)) }

// Garbage is what SetGarbage set.
func (f *Faults) Garbage() int { return int(f.garbageBytesPerSecond.Load()) }

// Hold keeps so much memory alive beside the sessions, in whole records,
// whatever was held before: buffers of those who are connecting, a catalogue in use.
func (f *Faults) Hold(bytes int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.heldBytes = bytes
	for f.held.records < bytes/recordBytes {
		f.held.append()
	}
	for f.held.records > bytes/recordBytes {
		f.held.drop()
	}
}

// Held is what Hold was asked for.
func (f *Faults) Held() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.heldBytes
}

// Run lets the leaks grow and the garbage come until the context ends, then
// waits for what is under way once.
func (f *Faults) Run(ctx context.Context) {
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	var bytes, goroutines, garbage float64
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			f.oneTime.Wait()
			return
		case now := <-ticker.C:
			seconds := now.Sub(last).Seconds()
			last = now
			bytes += float64(f.leakBytesPerSecond.Load()) * seconds
			goroutines += float64(f.goroutineLeakPerSecond.Load()) * seconds
			f.grow(&bytes, &goroutines)
			garbage += float64(f.garbageBytesPerSecond.Load()) * seconds
			garbage -= float64(reloadCatalogue(int(garbage)))
		}
	}
}

func (f *Faults) grow(bytes, goroutines *float64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for ; *bytes >= recordBytes; *bytes -= recordBytes {
		f.journal.append()
		f.leakedBytes.Add(recordBytes)
	}
	for ; *goroutines >= 1; *goroutines-- {
		f.listeners = append(f.listeners, listenForever())
	}
}

// Release lets go of everything that has leaked.
func (f *Faults) Release() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.journal = journal{}
	f.leakedBytes.Store(0)
	for _, done := range f.listeners {
		close(done)
	}
	f.listeners = nil
}

// LeakedBytes is how much memory has leaked.
func (f *Faults) LeakedBytes() int { return int(f.leakedBytes.Load()) }

// LeakedGoroutines is how many are left behind.
func (f *Faults) LeakedGoroutines() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.listeners)
}

// StartDigest runs Digest in the background; false says that one is running.
func (f *Faults) StartDigest(d time.Duration) bool {
	return f.start(&f.digesting, func() { _ = Digest(d) })
}

// StartReload runs a catalogue reload in the background; false says that one
// is running.
func (f *Faults) StartReload(bytes int) bool {
	return f.start(&f.reloading, func() { _ = reloadCatalogue(bytes) })
}

func (f *Faults) start(busy *atomic.Bool, act func()) bool {
	if !busy.CompareAndSwap(false, true) {
		return false
	}
	f.oneTime.Add(1)
	go func() {
		defer f.oneTime.Done()
		defer busy.Store(false)
		act()
	}()
	return true
}
