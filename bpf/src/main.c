// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * robotgc-probe: stops at points in Go binaries that it is told on stdin and reports on stdout what the
 * garbage collector cost the processes it is told to watch. It knows nothing of Go binaries' layout, of
 * Kubernetes, or of policy.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "options.h"
#include "probe.h"

/* How long a reader may take for the last lines before we leave without it. */
#define GOODBYE_MS 200

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int silence_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* Each watched process has a pidfd; where the limit is too low, ends go unnoticed, no more. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* SIGTERM and SIGINT as a descriptor; SIGPIPE as an error of write. */
static int open_signals(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Handles lines until one starts a flush that has to wait, or the reader is behind. */
static void handle_lines(struct probe *probe)
{
	const char *line;
	size_t length;

	while (!probe->flush.active && !output_is_full(&probe->out)) {
		switch (lines_next(&probe->lines, &line, &length)) {
		case LINE_READY:
			probe_handle_line(probe, line, length);
			break;
		case LINE_TOO_LONG:
			probe_refuse_long_line(probe);
			break;
		case LINE_NONE:
			return;
		}
	}
}

/* False at the end of input. */
static bool read_input(struct probe *probe)
{
	const char *line;
	size_t size, length;
	char *space = lines_space(&probe->lines, &size);
	ssize_t count = size ? read(STDIN_FILENO, space, size) : 0;

	if (size == 0 || (count < 0 && (errno == EINTR || errno == EAGAIN)))
		return true;
	if (count <= 0) {
		if (lines_last(&probe->lines, &line, &length) == LINE_READY)
			probe_handle_line(probe, line, length);
		return false;
	}
	lines_added(&probe->lines, (size_t)count);
	return true;
}

static void run(struct probe *probe, int signals_fd)
{
	enum { INPUT, OUTPUT, SIGNALS, EXITS, N_FDS };
	struct pollfd fds[N_FDS] = {
		[INPUT] = { .fd = STDIN_FILENO },
		[OUTPUT] = { .fd = STDOUT_FILENO },
		[SIGNALS] = { .fd = signals_fd, .events = POLLIN },
		[EXITS] = { .fd = probe->targets.exits_fd },
	};

	while (!probe->out.broken) {
		int sample_ms = probe_sample(probe);
		bool busy = probe->flush.active || output_is_full(&probe->out);
		int timeout_ms = probe->targets.n_watched > 0 && !output_is_full(&probe->out) ?
					 sample_ms : -1;

		if (probe->pressure.n_set > 0 && !busy && (timeout_ms < 0 || timeout_ms > PRESSURE_LOOK_MS))
			timeout_ms = PRESSURE_LOOK_MS;

		/* While the reader is behind, only its catching up, the end and signals matter. */
		fds[INPUT].events = busy ? 0 : POLLIN;
		fds[OUTPUT].events = output_is_due(&probe->out) ? POLLOUT : 0;
		fds[EXITS].events = busy ? 0 : POLLIN;
		if (poll(fds, N_FDS, timeout_ms) < 0 && errno != EINTR)
			return;
		if (fds[SIGNALS].revents || fds[OUTPUT].revents & (POLLERR | POLLNVAL))
			return;
		output_flush(&probe->out);
		if (busy && fds[INPUT].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if (!busy && fds[INPUT].revents && !read_input(probe))
			return;
		handle_lines(probe);
		if (fds[EXITS].revents)
			probe_reap(probe);
		if (!busy)
			probe_tell_pressure(probe);
		probe_drain(probe);
		probe_continue_flush(probe);
		handle_lines(probe);
		output_flush(&probe->out);
	}
}

int main(int argc, char **argv)
{
	/* All zero, so that none of its pages is there before it is written to. */
	static struct probe probe;
	struct options options = { 0 };
	struct failure failure;
	int signals_fd, exit_code;

	if (!options_parse(&options, argc, argv, &exit_code))
		return exit_code;
	probe.out.fd = STDOUT_FILENO;
	libbpf_set_print(options.verbose ? print_libbpf : silence_libbpf);
	raise_file_limit();
	signals_fd = open_signals();
	if (!probe_open(&probe, options.way, &failure)) {
		emit_error(&probe.out, NULL, &failure);
		output_finish(&probe.out, GOODBYE_MS);
		fprintf(stderr, "robotgc-probe: %s\n", failure.message);
		probe_close(&probe);
		return EXIT_ENVIRONMENT;
	}
	probe.stall_limit = options.stall_limit;
	emit_ready(&probe.out, attach_way_name(probe.kernel.way), probe.tracepoints.missing,
		   probe.tracepoints.n_missing);
	run(&probe, signals_fd);
	probe_close(&probe);
	output_finish(&probe.out, GOODBYE_MS);
	return 0;
}
