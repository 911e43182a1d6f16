package main

import (
	"fmt"
	"math"

	"robots/internal/fleet"
	"robots/internal/tuner"
)

// Bounds of the published tuner, and none.
const (
	leastClamped, mostClamped = 50, 500
	leastBare, mostBare       = 1, math.MaxInt32
)

// startTuner lets the program set its own GOGC, where it was asked to.
func (c *config) startTuner(f *fleet.Fleet) error {
	if c.tuner == "" {
		return nil
	}
	formula, err := c.formula(func() int { return f.Stats().Active })
	if err == nil {
		tuner.Start(formula)
	}
	return err
}

func (c *config) formula(active func() int) (tuner.Formula, error) {
	switch c.tuner {
	case "memory", "memory-clamped":
		if c.tunerBytes <= 0 {
			return nil, fmt.Errorf("-tuner %s needs a -tuner-threshold in bytes", c.tuner)
		}
		if c.tuner == "memory" {
			return tuner.Memory(uint64(c.tunerBytes), leastBare, mostBare), nil
		}
		return tuner.Memory(uint64(c.tunerBytes), leastClamped, mostClamped), nil
	case "sessions":
		if c.tunerSessions <= 0 {
			return nil, fmt.Errorf("-tuner sessions needs a -tuner-baseline")
		}
		return tuner.Sessions(c.tunerSessions, active), nil
	}
	return nil, fmt.Errorf("there is no tuner %q; take memory, memory-clamped or sessions", c.tuner)
}
