// A TLS client and a TLS server in one program, for the code of both.
package main

import (
	"crypto/tls"
	"net"
)

func main() {
	client, server := net.Pipe()
	go tls.Server(server, &tls.Config{}).Handshake()
	tls.Client(client, &tls.Config{InsecureSkipVerify: true}).Handshake()
}
