// Companion is what else runs in a robot's container or beside it, so that something goes wrong in a known way:
//
//	companion make FILE MIB   makes a file of that size, of which nothing is in memory
//	companion churn FILE      reads it over and over through the page cache
//	companion faults FILE     maps it and reads pages that are not in memory, one major fault each
//	companion map MIB PAUSE   has so much memory mapped and filled in one call, and gives it back, over and over
//	companion grow MIB        takes memory step by step until it is killed
//	companion listen          opens an address for each thing a client can wait for, and prints {slow, full}
//	companion dial ADDRESS PAUSE, companion shake ADDRESS PAUSE
//	                          connects to it, or shakes hands over TLS, over and over
//
// It collects no garbage (GOGC=off is expected), so that the robot's collector is the only one in the container.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	random "math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	switch what := os.Args[1]; what {
	case "make":
		makeFile(os.Args[2], mebibytes(os.Args[3]))
	case "churn":
		churn(open(os.Args[2]))
	case "faults":
		faults(open(os.Args[2]))
	case "map":
		mapMemory(mebibytes(os.Args[2]), duration(os.Args[3]))
	case "grow":
		grow(mebibytes(os.Args[2]))
	case "listen":
		listen()
	case "dial":
		repeat(duration(os.Args[3]), func() { dial(os.Args[2]) })
	case "shake":
		repeat(duration(os.Args[3]), func() { shake(os.Args[2]) })
	default:
		panic(what)
	}
}

func mebibytes(word string) int {
	n, err := strconv.Atoi(word)
	check(err)
	return n << 20
}

func duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	check(err)
	return d
}

func repeat(pause time.Duration, act func()) {
	for {
		act()
		time.Sleep(pause)
	}
}

// makeFile is for another cgroup than that of who reads: a page is charged to who brings it in first, and a cgroup of version 1
// that is full of unwritten pages kills somebody.
func makeFile(path string, size int) {
	file, err := os.Create(path)
	check(err)
	for range size >> 20 {
		_, err := file.Write(make([]byte, 1<<20))
		check(err)
	}
	check(file.Sync())
	forget(file)
	check(file.Close())
}

// open takes the file from its folder: it is gone with who reads it.
func open(path string) *os.File {
	file, err := os.Open(path)
	check(err)
	check(os.Remove(path))
	return file
}

// forget has the kernel drop what it holds of the file, but for what is mapped.
func forget(file *os.File) {
	const dontNeed = 4
	_, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, dontNeed, 0, 0)
	if errno != 0 {
		panic(errno)
	}
}

func churn(file *os.File) {
	buffer := make([]byte, 1<<20)
	for {
		_, err := file.Read(buffer)
		if err == io.EOF {
			_, err = file.Seek(0, io.SeekStart)
		}
		check(err)
	}
}

const page = 4096

var read byte

// faults lets go of the file's pages again and again: mapped ones stay in memory until madvise has unmapped them, and
// the cache keeps them until fadvise.
func faults(file *os.File) {
	info, err := file.Stat()
	check(err)
	size := int(info.Size())
	mapped, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	check(err)
	check(syscall.Madvise(mapped, syscall.MADV_RANDOM))
	for {
		for range 64 {
			read += mapped[random.IntN(size/page)*page]
		}
		check(syscall.Madvise(mapped, syscall.MADV_DONTNEED))
		check(syscall.Madvise(mapped, syscall.MADV_RANDOM))
		forget(file)
		time.Sleep(50 * time.Millisecond)
	}
}

func mapMemory(bytes int, pause time.Duration) {
	repeat(pause, func() {
		memory, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
		check(err)
		check(syscall.Munmap(memory))
	})
}

var kept [][]byte

func grow(step int) {
	for {
		memory := make([]byte, step)
		for i := 0; i < len(memory); i += page {
			memory[i] = 1
		}
		kept = append(kept, memory)
		time.Sleep(100 * time.Millisecond)
	}
}

// listen has a peer that shakes hands late, and one whose queue of connections is full, so that the kernel drops each SYN.
func listen() {
	slow, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	full, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	check(syscall.Bind(full, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	check(syscall.Listen(full, 0))
	bound, err := syscall.Getsockname(full)
	check(err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(bound.(*syscall.SockaddrInet4).Port))
	for range 4 {
		connection, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err == nil {
			defer connection.Close()
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{"slow": slow.Addr().String(), "full": address}))
	config := &tls.Config{Certificates: []tls.Certificate{certificate()}}
	for {
		connection, err := slow.Accept()
		check(err)
		go func() {
			defer connection.Close()
			time.Sleep(time.Duration(600+random.IntN(900)) * time.Millisecond)
			_ = tls.Server(connection, config).Handshake()
		}()
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func dial(address string) {
	connection, err := net.DialTimeout("tcp", address, 4*time.Second)
	if err == nil {
		connection.Close()
	}
}

func shake(address string) {
	connection, err := net.Dial("tcp", address)
	check(err)
	defer connection.Close()
	// A peer without a name that anybody vouches for: what is of interest is how long it takes.
	check(tls.Client(connection, &tls.Config{InsecureSkipVerify: true}).Handshake())
}
