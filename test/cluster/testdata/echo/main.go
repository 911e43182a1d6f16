// Command echo is what the cluster's own tests run in pods: a server that answers with the caller's address, and the few
// things that a test wants to do from inside.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) == 1 {
		serve()
	}
	if err := inside(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve() {
	log.Print("listening")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello", r.RemoteAddr) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func inside(verb, argument string) error {
	switch verb {
	case "get":
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		response, err := (&http.Client{Timeout: 10 * time.Second, Transport: transport}).Get(argument)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		fmt.Println(response.StatusCode, string(body))
		return err
	case "resolve":
		addresses, err := net.LookupHost(argument)
		fmt.Println(addresses)
		return err
	case "write":
		return os.WriteFile(argument, []byte("written"), 0o644)
	case "read":
		content, err := os.ReadFile(argument)
		fmt.Print(string(content))
		return err
	}
	return fmt.Errorf("no such verb: %s", verb)
}
