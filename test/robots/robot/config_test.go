package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) { v, ok := pairs[key]; return v, ok }
}

func TestFlagsBeatTheEnvironmentWhichBeatsTheProfile(t *testing.T) {
	env := environment(map[string]string{"ROBOT_PROFILE": "demo", "ROBOT_SESSIONS": "7", "ROBOT_MESSAGES_PER_SECOND": "8"})
	c, err := parse([]string{"-sessions", "5"}, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.sessions != 5 || c.messagesPerSecond != 8 || c.transitions != 2500 {
		t.Errorf("sessions %d, messages %d, transitions %d", c.sessions, c.messagesPerSecond, c.transitions)
	}
}

func TestPprofListensOnLocalhostUnlessAsked(t *testing.T) {
	c, err := parse(nil, environment(nil), io.Discard)
	if err != nil || c.pprofAddr != "127.0.0.1:6060" || c.drain != 5*time.Second {
		t.Errorf("%v %+v", err, c)
	}
}

func TestEveryProfileCanBeStarted(t *testing.T) {
	for name := range profiles {
		if _, err := parse([]string{"-profile", name}, environment(nil), io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnusableConfigurationsAreExplained(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  map[string]string
		says string
	}{
		{[]string{"-mode", "quantum"}, nil, "take message, state, timer or mixed"},
		{[]string{"-profile", "huge"}, nil, "take small or demo"},
		{[]string{"-saturate"}, nil, "-duration"},
		{[]string{"-tuner", "lucky"}, nil, "take memory, memory-clamped or sessions"},
		{[]string{"-tuner", "memory"}, nil, "-tuner-threshold"},
		{[]string{"-tuner", "sessions"}, nil, "-tuner-baseline"},
		{[]string{"-workers", "0"}, nil, "from 1 to 1024"},
		{[]string{"10000"}, nil, "no arguments besides flags"},
		{nil, map[string]string{"ROBOT_SESSIONS": "lots"}, `ROBOT_SESSIONS="lots"`},
	} {
		_, err := parse(c.args, environment(c.env), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v %v: %v", c.args, c.env, err)
		}
	}
}
