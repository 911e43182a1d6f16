package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"robots/internal/control"
)

// servers are metrics, control and pprof, in this order; pprof may be missing.
type servers []*server

type server struct {
	http.Server
	address string
}

// serve begins to listen on all addresses, or on none.
func serve(c config, robot control.Robot) (servers, error) {
	var all servers
	for _, s := range []struct {
		name, addr string
		handler    http.Handler
	}{
		{"metrics", c.metricsAddr, control.MetricsHandler(robot)},
		{"control", c.controlAddr, control.Handler(robot)},
		{"pprof", c.pprofAddr, pprofHandler()},
	} {
		if s.addr == "" {
			all = append(all, &server{})
			continue
		}
		listener, err := net.Listen("tcp", s.addr)
		if err != nil {
			all.shutdown(context.Background())
			return nil, fmt.Errorf("-%s %s: %w", s.name, s.addr, err)
		}
		one := &server{address: listener.Addr().String()}
		one.Handler = s.handler
		one.ReadHeaderTimeout = 5 * time.Second
		all = append(all, one)
		go one.Serve(listener) // ends with ErrServerClosed at shutdown
	}
	return all, nil
}

// pprofHandler has a mux of its own: nothing else of the default one shall be
// reachable there.
func pprofHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// addr is where the server really listens, also when port 0 was asked for.
func (all servers) addr(i int) string { return all[i].address }

func (all servers) shutdown(ctx context.Context) {
	for _, s := range all {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close() // a connection outlived the drain
		}
	}
}
