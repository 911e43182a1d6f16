// Late is linked dynamically, and loads OpenSSL only when it is asked to: "load FILE". "shake ADDRESS PORT" then is a handshake of its client
// on a socket that blocks. Every request is answered by one line on stdout.
package main

/*
#cgo LDFLAGS: -ldl
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *library;

static int load(const char *file)
{
	library = dlopen(file, RTLD_NOW);
	return library != NULL;
}

static int shake(const char *address, int port)
{
	void *(*method)(void) = dlsym(library, "TLS_client_method");
	void *(*new_context)(void *) = dlsym(library, "SSL_CTX_new");
	void *(*new_ssl)(void *) = dlsym(library, "SSL_new");
	int (*set_fd)(void *, int) = dlsym(library, "SSL_set_fd");
	void (*set_client)(void *) = dlsym(library, "SSL_set_connect_state");
	int (*handshake)(void *) = dlsym(library, "SSL_do_handshake");
	void (*release)(void *) = dlsym(library, "SSL_free");
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), result;
	void *ssl;

	inet_pton(AF_INET, address, &peer.sin_addr);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return -2;
	ssl = new_ssl(new_context(method()));
	set_fd(ssl, fd);
	set_client(ssl);
	result = handshake(ssl);
	release(ssl);
	close(fd);
	return result;
}
*/
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for input.Scan() {
		words := strings.Fields(input.Text())
		switch words[0] {
		case "load":
			fmt.Println(C.load(C.CString(words[1])))
		case "shake":
			var port int
			fmt.Sscan(words[2], &port)
			fmt.Println(C.shake(C.CString(words[1]), C.int(port)))
		}
	}
}
