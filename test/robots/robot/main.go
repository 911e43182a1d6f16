// Command robot is a robot framework server: thousands of long-lived sessions
// that are driven by messages, state machines and timers, with the load and
// the faults that a control endpoint sets. It is what robotgc is tried on.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	c, err := parse(os.Args[1:], os.LookupEnv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		log.Error("the configuration is not usable", "error", err.Error())
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, c, log, os.Stdout); err != nil {
		log.Error("the robot ended", "error", err.Error())
		os.Exit(1)
	}
}
