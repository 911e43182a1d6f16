// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: robotgc-probe [--attach auto|uprobe_multi|perf] [--assists N] [--verbose]\n"
	"\n"
	"Reports stop-the-world pauses, mark-assist stalls, GC cycles and waits of Go processes, from outside,\n"
	"by uprobes and tracepoints. Reads commands on stdin and writes events on stdout, one JSON object a line. Detaches\n"
	"everything and exits when stdin closes or on SIGTERM.\n"
	"\n"
	"  --attach WAY   auto (default): uprobe_multi where the kernel has it (6.6), else perf events\n"
	"  --assists N    see at most N mark assists a second one by one; when there are more, look at random\n"
	"                 moments and say how long was looked (default: 1000 for each CPU)\n"
	"  --verbose      also print what libbpf and the kernel's verifier say, on stderr\n"
	"  --version      print the version and exit\n"
	"  --help         print this and exit\n"
	"\n"
	"Commands: attach, watch, unwatch, runs, detach, flush, ping, trigger, untrigger. Try:\n"
	"  echo '{\"cmd\":\"ping\",\"seq\":1}' | robotgc-probe\n"
	"\n"
	"Needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE; with perf events CAP_SYS_ADMIN.\n"
	"Exit codes: 0 ended as asked, 2 usage, 3 the kernel or the privileges do not allow it.\n";

static bool parse_way(const char *name, enum attach_way *way)
{
	if (!strcmp(name, "auto"))
		*way = ATTACH_AUTO;
	else if (!strcmp(name, "uprobe_multi"))
		*way = ATTACH_UPROBE_MULTI;
	else if (!strcmp(name, "perf"))
		*way = ATTACH_PERF;
	else
		return false;
	return true;
}

static bool parse_count(const char *text, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && *count >= 1 && *count <= 10000000;
}

bool options_parse(struct options *options, int argc, char **argv, int *exit_code)
{
	static const struct option known[] = {
		{ "attach", required_argument, NULL, 'a' },
		{ "assists", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	*exit_code = EXIT_USAGE;
	options->stall_limit = 1000 * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'a':
			if (parse_way(optarg, &options->way))
				break;
			fprintf(stderr, "robotgc-probe: --attach is \"%s\"; known are auto, uprobe_multi, perf\n",
				optarg);
			return false;
		case 's':
			if (parse_count(optarg, &options->stall_limit))
				break;
			fprintf(stderr, "robotgc-probe: --assists is \"%s\"; it must be a whole number from 1 to 10000000\n",
				optarg);
			return false;
		case 'v':
			options->verbose = true;
			break;
		case 'V':
			printf("robotgc-probe %s\n", ROBOTGC_VERSION);
			*exit_code = 0;
			return false;
		case 'h':
			fputs(help, stdout);
			*exit_code = 0;
			return false;
		default:
			fprintf(stderr, "Try robotgc-probe --help\n");
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "robotgc-probe: \"%s\" is not expected: commands come on stdin\n", argv[optind]);
		return false;
	}
	return true;
}
