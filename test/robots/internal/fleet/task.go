package fleet

import (
	"context"
	"runtime/trace"
)

var taskNames = [...]string{message: "message", transition: "transition", tick: "tick"}

var background = context.Background()

// beginTask opens a user task in the execution trace. Outside a trace it does
// nothing, not even allocate, so that events keep their documented size.
func beginTask(name string) (context.Context, func()) {
	if !trace.IsEnabled() {
		return background, func() {}
	}
	ctx, task := trace.NewTask(background, name)
	return ctx, task.End
}
