package faults

import "sync/atomic"

// lineBytes is the size of one short-lived allocation of a burst.
var lineBytes = 32 << 10

var parsed atomic.Uint64

// reloadCatalogue parses a product catalogue of that many bytes, line by line,
// and keeps nothing: a burst of short-lived allocations.
func reloadCatalogue(bytes int) {
	for done := 0; done < bytes; done += lineBytes {
		parsed.Add(uint64(parseLine(make([]byte, lineBytes))))
	}
}

//go:noinline
func parseLine(line []byte) (fields int) {
	for i := 0; i < len(line); i += 64 {
		line[i] = ','
		fields++
	}
	return fields
}
