// Phases waits in known ways, for memory and for the network, and tells what it did by its own clock: the oracle that
// the probe is held against.
//
// Requests are lines on stdin: "mmap COUNT", "populate COUNT", "overmap COUNT", "grow MIB", "handshakes COUNT",
// "mistrust COUNT", "serve", "served", "call ADDRESS COUNT", "connect ADDRESS TIMEOUT",
// "dials ADDRESS TIMEOUT GOROUTINES COUNT", "read DELAY…", "rest".
// Every request is answered by one JSON line on stdout.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type answer struct {
	ClientNs []int64 `json:"clientNs"`
	ServerNs []int64 `json:"serverNs"`
	WaitNs   []int64 `json:"waitNs"`
	Failed   int     `json:"failed"`
	Address  string  `json:"address"`
}

var keep [][]byte

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"phases"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// server shakes hands with whoever calls, and notes how long each took.
type server struct {
	listener net.Listener
	mutex    sync.Mutex
	ended    *sync.Cond
	tookNs   []int64
	failed   int
}

func serve(own tls.Certificate) *server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := &server{listener: listener}
	s.ended = sync.NewCond(&s.mutex)
	go func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				connection := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{own}})
				start := time.Now()
				err := connection.Handshake()
				took := time.Since(start).Nanoseconds()
				s.mutex.Lock()
				s.tookNs = append(s.tookNs, took)
				if err != nil {
					s.failed++
				}
				s.ended.Broadcast()
				s.mutex.Unlock()
				connection.Close()
			}()
		}
	}()
	return s
}

// take waits until so many handshakes have ended since the last taking.
func (s *server) take(count int) ([]int64, int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for len(s.tookNs) < count {
		s.ended.Wait()
	}
	took, failed := s.tookNs, s.failed
	s.tookNs, s.failed = nil, 0
	return took, failed
}

func handshakes(address string, count int, roots *x509.CertPool) (tookNs []int64, failed int) {
	config := &tls.Config{RootCAs: roots, ServerName: "phases"}
	for i := 0; i < count; i++ {
		raw, err := net.Dial("tcp", address)
		check(err)
		connection := tls.Client(raw, config)
		start := time.Now()
		err = connection.Handshake()
		tookNs = append(tookNs, time.Since(start).Nanoseconds())
		if err != nil {
			failed++
		}
		raw.Close()
	}
	return tookNs, failed
}

// reads has a peer that answers only after each of the delays.
func reads(delays []string) (waitNs []int64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	go func() {
		peer, err := listener.Accept()
		check(err)
		defer peer.Close()
		for _, delay := range delays {
			length, err := time.ParseDuration(delay)
			check(err)
			time.Sleep(length)
			peer.Write([]byte{1})
		}
	}()
	connection, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	defer connection.Close()
	for range delays {
		start := time.Now()
		_, err := connection.Read(make([]byte, 1))
		check(err)
		waitNs = append(waitNs, time.Since(start).Nanoseconds())
	}
	return waitNs
}

// dials calls an address that refuses or does not answer, so many times, from so many goroutines at once.
func dials(address string, timeout time.Duration, goroutines string, count int) (failed int) {
	var width int
	fmt.Sscan(goroutines, &width)
	var group sync.WaitGroup
	var failures atomic.Int64
	for i := 0; i < width; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := i; j < count; j += width {
				connection, err := net.DialTimeout("tcp", address, timeout)
				if err != nil {
					failures.Add(1)
					continue
				}
				connection.Close()
			}
		}()
	}
	group.Wait()
	return int(failures.Load())
}

// populate maps so much memory at once, page by page.
func populate(bytes int) (took time.Duration) {
	began := time.Now()
	memory, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
	took = time.Since(began)
	check(err)
	check(syscall.Munmap(memory))
	return took
}

// slowToPopulate is about as much memory as takes two milliseconds here: machines differ by a factor of ten.
func slowToPopulate() int {
	for bytes := 1 << 20; ; bytes *= 2 {
		if min(populate(bytes), populate(bytes), populate(bytes)) >= 2*time.Millisecond {
			return bytes
		}
	}
}

func main() {
	own := certificate()
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	check(err)
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	var s *server
	output := json.NewEncoder(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		var count int
		if len(words) > 1 {
			fmt.Sscan(words[len(words)-1], &count)
		}
		if s == nil {
			s = serve(own)
		}
		reply := answer{ClientNs: []int64{}, ServerNs: []int64{}, WaitNs: []int64{}, Address: s.listener.Addr().String()}
		switch words[0] {
		case "mmap":
			for i := 0; i < count; i++ {
				memory, err := syscall.Mmap(-1, 0, 1<<16, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
				check(err)
				check(syscall.Munmap(memory))
			}
		case "populate":
			bytes := slowToPopulate()
			for i := 0; i < count; i++ {
				populate(bytes)
			}
		case "overmap":
			for i := 0; i < count; i++ {
				if _, err := syscall.Mmap(-1, 0, 1<<48, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE); !errors.Is(err, syscall.ENOMEM) {
					panic(err)
				}
			}
		case "grow":
			for i := 0; i < count; i++ {
				keep = append(keep, make([]byte, 1<<20))
			}
		case "rest":
			runtime.GC()
		case "handshakes":
			reply.ClientNs, _ = handshakes(reply.Address, count, trusted)
			reply.ServerNs, _ = s.take(count)
		case "mistrust":
			reply.ClientNs, reply.Failed = handshakes(reply.Address, count, x509.NewCertPool())
			reply.ServerNs, _ = s.take(count)
		case "served":
			reply.ServerNs, reply.Failed = s.take(count)
		case "call":
			config := &tls.Config{InsecureSkipVerify: true}
			for i := 0; i < count; i++ {
				raw, err := net.Dial("tcp", words[1])
				check(err)
				connection := tls.Client(raw, config)
				start := time.Now()
				check(connection.Handshake())
				reply.ClientNs = append(reply.ClientNs, time.Since(start).Nanoseconds())
				connection.Close()
			}
		case "connect":
			timeout, err := time.ParseDuration(words[2])
			check(err)
			start := time.Now()
			connection, err := net.DialTimeout("tcp", words[1], timeout)
			reply.WaitNs = append(reply.WaitNs, time.Since(start).Nanoseconds())
			if err != nil {
				reply.Failed = 1
			} else {
				connection.Close()
			}
		case "dials":
			timeout, err := time.ParseDuration(words[2])
			check(err)
			reply.Failed = dials(words[1], timeout, words[3], count)
		case "read":
			reply.WaitNs = reads(words[1:])
		}
		output.Encode(reply)
	}
}
