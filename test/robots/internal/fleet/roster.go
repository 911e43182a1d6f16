package fleet

import "robots/internal/session"

// roster is the sessions of one worker, by mode and in order of arrival.
type roster struct {
	all    []*session.Session
	byMode [session.Modes][]*session.Session
	wheel  wheel
	turn   [session.Modes]int
}

func (r *roster) add(s *session.Session) {
	r.all = append(r.all, s)
	r.byMode[s.Mode] = append(r.byMode[s.Mode], s)
	if s.Mode == session.Timer {
		r.wheel.put(s)
	}
}

// removeNewest ends the session that came last.
func (r *roster) removeNewest() *session.Session {
	last := len(r.all) - 1
	s := r.all[last]
	r.all[last] = nil
	r.all = r.all[:last]
	peers := r.byMode[s.Mode]
	peers[len(peers)-1] = nil
	r.byMode[s.Mode] = peers[:len(peers)-1]
	if s.Mode == session.Timer {
		r.wheel.remove(s)
	}
	return s
}

// next is the session of the mode whose turn it is, or nil when there is none.
func (r *roster) next(mode session.Mode) *session.Session {
	peers := r.byMode[mode]
	if len(peers) == 0 {
		return nil
	}
	r.turn[mode]++
	return peers[r.turn[mode]%len(peers)]
}
