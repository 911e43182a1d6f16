package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"robots/internal/session"
)

// config is what the flags, the environment and the profile say, in this order
// of precedence.
type config struct {
	profile           string
	mode              string
	sessions          int
	messagesPerSecond int
	transitions       int
	leakBytes         int
	workers           int
	sessionGoroutines bool
	busCycle          time.Duration
	batch             time.Duration
	metricsAddr       string
	controlAddr       string
	pprofAddr         string
	mutexFraction     int
	blockRateNs       int
	drain             time.Duration
	duration          time.Duration
	saturate          bool
	tuner             string
	tunerBytes        int
	tunerSessions     int
}

// modes are the sessions that each value of -mode deals out.
var modes = map[string][]session.Mode{
	"mixed":   {session.MessageDriven, session.StateMachine, session.Timer},
	"message": {session.MessageDriven},
	"state":   {session.StateMachine},
	"timer":   {session.Timer},
}

// profiles are named loads: flag values that hold where neither a flag nor the
// environment says otherwise. README.md has what they were measured at.
var profiles = map[string]map[string]string{
	"small": {},
	"demo": {
		"sessions":               "10000",
		"messages-per-second":    "4000",
		"transitions-per-second": "2500",
		"bus-cycle":              "100ms",
		"mutex-profile-fraction": "100",
		"block-profile-rate":     "1000000",
	},
}

func (c *config) flags(out io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("robot", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&c.profile, "profile", "small", "named load: small or demo")
	fs.StringVar(&c.mode, "mode", "mixed", "what drives the sessions: message, state, timer or mixed")
	fs.IntVar(&c.sessions, "sessions", 1000, "sessions to open at start")
	fs.IntVar(&c.messagesPerSecond, "messages-per-second", 500, "messages arriving at all message-driven sessions together")
	fs.IntVar(&c.transitions, "transitions-per-second", 100, "transitions of all state machines together")
	fs.IntVar(&c.leakBytes, "leak-bytes-per-second", 0, "memory leaked from the start")
	fs.IntVar(&c.workers, "workers", 8, "goroutines that own the sessions")
	fs.BoolVar(&c.sessionGoroutines, "session-goroutines", false, "a goroutine for each session")
	fs.DurationVar(&c.busCycle, "bus-cycle", 0, "beat at which state machines step together; 0 spreads them evenly")
	fs.DurationVar(&c.batch, "batch", time.Millisecond, "how often arrivals are read; what arrived meanwhile is due together")
	fs.StringVar(&c.metricsAddr, "metrics", ":9090", "address of /metrics")
	fs.StringVar(&c.controlAddr, "control", ":8081", "address of /control, /runtime and /stats")
	fs.StringVar(&c.pprofAddr, "pprof", "127.0.0.1:6060", "address of /debug/pprof; empty for none")
	fs.IntVar(&c.mutexFraction, "mutex-profile-fraction", 0, "report one of so many contended mutexes; 0 for none")
	fs.IntVar(&c.blockRateNs, "block-profile-rate", 0, "report one blocking for each so many nanoseconds blocked; 0 for none")
	fs.DurationVar(&c.drain, "drain", 5*time.Second, "time for waiting events after SIGTERM")
	fs.DurationVar(&c.duration, "duration", 0, "end after this time; 0 for not at all")
	fs.StringVar(&c.tuner, "tuner", "", "set GOGC from inside after each collection: memory, memory-clamped or sessions")
	fs.IntVar(&c.tunerBytes, "tuner-threshold", 0, "for memory and memory-clamped: bytes that the heap may fill")
	fs.IntVar(&c.tunerSessions, "tuner-baseline", 0, "for sessions: so many have GOGC=100, twice as many 200")
	fs.BoolVar(&c.saturate, "saturate", false, "handle events as fast as possible for -duration and print the throughput")
	return fs
}

// parse reads the flags, then fills what they leave open from the environment
// (-messages-per-second is ROBOT_MESSAGES_PER_SECOND) and from the profile.
func parse(args []string, env func(string) (string, bool), out io.Writer) (config, error) {
	var c config
	fs := c.flags(out)
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("there are no arguments besides flags, got %q", fs.Arg(0))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fromEnv := func(name string) error {
		key := "ROBOT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		value, ok := env(key)
		if !ok || given[name] {
			return nil
		}
		given[name] = true
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("%s=%q: %w", key, value, err)
		}
		return nil
	}
	var first error
	fs.VisitAll(func(f *flag.Flag) {
		if err := fromEnv(f.Name); err != nil && first == nil {
			first = err
		}
	})
	if first != nil {
		return c, first
	}
	profile, ok := profiles[c.profile]
	if !ok {
		return c, fmt.Errorf("there is no profile %q; take small or demo", c.profile)
	}
	for name, value := range profile {
		if !given[name] {
			if err := fs.Set(name, value); err != nil {
				return c, fmt.Errorf("profile %s: %w", c.profile, err)
			}
		}
	}
	return c, c.check()
}

func (c *config) check() error {
	if modes[c.mode] == nil {
		return fmt.Errorf("there is no mode %q; take message, state, timer or mixed", c.mode)
	}
	if c.saturate && c.duration <= 0 {
		return fmt.Errorf("-saturate needs a -duration, such as 10s")
	}
	if c.tuner != "" {
		if _, err := c.formula(func() int { return 0 }); err != nil {
			return err
		}
	}
	if c.workers < 1 || c.workers > 1024 {
		return fmt.Errorf("-workers is %d; give a number from 1 to 1024", c.workers)
	}
	return nil
}
