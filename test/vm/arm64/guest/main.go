// The first process of a machine that runs one command: it mounts what the command needs, runs the lines of /command as its words, prints
// on the console how it ended and what it printed, and turns the machine off.
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

var mounts = []struct{ kind, at string }{
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
	{"tracefs", "/sys/kernel/tracing"},
	{"cgroup2", "/sys/fs/cgroup"},
}

func main() {
	for _, m := range mounts {
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			fmt.Println("mount", m.at, err)
		}
	}
	words, err := os.ReadFile("/command")
	if err != nil {
		fmt.Println(err)
	}
	args := strings.Split(strings.TrimSpace(string(words)), "\n")
	command := exec.Command(args[0], args[1:]...)
	command.Env = []string{"HOME=/tmp", "PATH=/bin"}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	fmt.Printf("\nrobotgc: ended: %v\n", command.Run())
	// Kernel messages may come in between: each piece is a line of its own.
	tell("stderr", stderr.Bytes())
	tell("stdout", stdout.Bytes())
	fmt.Println("\nrobotgc: all told")
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func tell(name string, data []byte) {
	const pieceBytes = 3000
	for len(data) > 0 {
		n := min(len(data), pieceBytes)
		fmt.Printf("\nrobotgc: %s %s\n", name, base64.StdEncoding.EncodeToString(data[:n]))
		data = data[n:]
	}
}
