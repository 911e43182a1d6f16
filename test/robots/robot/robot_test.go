package main

import (
	"context"
	"testing"

	"robots/internal/control"
	"robots/internal/faults"
	"robots/internal/fleet"
)

func robotOf(t *testing.T) control.Robot {
	t.Helper()
	f, err := fleet.New(fleet.Options{Modes: modes["mixed"], Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(context.Background()) })
	return control.Robot{Fleet: f, Faults: &faults.Faults{}}
}
