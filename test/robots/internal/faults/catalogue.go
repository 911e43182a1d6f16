package faults

import "sync/atomic"

// lineBytes is the size of one short-lived allocation of a burst.
var lineBytes = 32 << 10

var parsed atomic.Uint64

// reloadCatalogue parses a product catalogue of that many bytes, line by line,
// and keeps nothing: a burst of short-lived allocations. It returns how much
// that was, in whole lines.
func reloadCatalogue(bytes int) (done int) {
	for ; done < bytes; done += lineBytes {
		parsed.Add(uint64(parseLine(make([]byte, lineBytes))))
	}
	return done
}

//go:noinline
func parseLine(line []byte) (fields int) {
	for i := 0; i < len(line); i += 64 {
		line[i] = ','
		fields++
	}
	return fields
}
