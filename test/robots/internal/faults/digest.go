package faults

import (
	"crypto/sha512"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// hashRate is how many bytes a second this machine digests, measured once: the
// best of ten tries, so that other work on the machine does not count.
var hashRate = sync.OnceValues(func() (float64, error) {
	const tries, tryBytes = 10, 2 << 20
	image, err := mapImage(tryBytes)
	if err != nil {
		return 0, err
	}
	defer syscall.Munmap(image)
	digestImage(image) // touches the pages
	best := 0.0
	for range tries {
		start := time.Now()
		digestImage(image)
		best = max(best, tryBytes/time.Since(start).Seconds())
	}
	return best, nil
})

// Digest keeps one goroutine from stopping for d of processor time: it checks the digest
// of a firmware image in a single call. SHA-512's block function is assembly and takes the
// whole input at once, and Go preempts no goroutine inside assembly, so a
// collection that begins meanwhile waits for it with the world half stopped.
// (A tight loop in Go would not do: since Go 1.14 it is preempted by a signal; nor
// would SHA-256, whose input is cut into pieces of 64 KiB for this very reason.)
// It holds on amd64 and arm64 with SHA-512 instructions.
//
// The image is anonymous memory that nobody wrote to: the kernel's one zero
// page many times over, so the digest costs time but no memory.
func Digest(d time.Duration) error {
	rate, err := hashRate()
	if err != nil {
		return err
	}
	image, err := mapImage(int(rate * d.Seconds()))
	if err != nil {
		return err
	}
	digestImage(image)
	return syscall.Munmap(image)
}

func mapImage(bytes int) ([]byte, error) {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	image, err := syscall.Mmap(-1, 0, max(bytes, 1<<20), syscall.PROT_READ, flags)
	if err != nil {
		return nil, fmt.Errorf("mapping a firmware image of %d bytes: %w", bytes, err)
	}
	return image, nil
}

//go:noinline
func digestImage(image []byte) [sha512.Size]byte { return sha512.Sum512(image) }
