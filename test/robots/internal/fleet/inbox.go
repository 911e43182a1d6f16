package fleet

import "robots/internal/session"

// open gives a session its own goroutine, when the fleet runs that way.
func (w *worker) open(s *session.Session) {
	if !w.ownGoroutines {
		return
	}
	inbox := make(chan event, inboxLength)
	w.inboxes[s] = inbox
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		for e := range inbox {
			w.handle(s, e)
		}
	}()
}

// shut lets a session's goroutine finish what waits for it, then end.
func (w *worker) shut(s *session.Session) {
	if inbox, ok := w.inboxes[s]; ok {
		close(inbox)
		delete(w.inboxes, s)
	}
}
