/*
 * What only the reading costs: the files that an agent keeps open of the cgroups and processes it watches, read once a second or as much
 * more seldom as a calm node's agent does, and thrown away. Its argument is the agent's pid. With a second one, `poll`, nothing is read: it
 * waits for the kernel's news of each cgroup, and wakes once a second. Says in a line what it has found, and goes on until it is killed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FILES = 32768, FULL_EVERY = 5, WHOLE_EVERY = 15 };

/* As `eachTick` in src/host/cgroup/v1.ts and v2.ts. */
static const char *const each_tick[] = {"memory.usage_in_bytes", "memory.limit_in_bytes", "cpuacct.usage",
					"memory.current", "memory.max", "cpu.stat", "mem"};
/* As `seldom`. */
static const char *const seldom[] = {"memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us",
				     "memory.high", "memory.swap.max", "cpu.max"};

struct kept {
	int fd;
	int every;
	int turn;
	off_t at;
};

static struct kept files[MOST_FILES];
static struct pollfd news[MOST_FILES];
static int count, news_count;

static int among(const char *name, const char *const *names, int length)
{
	for (int i = 0; i < length; i++)
		if (!strcmp(name, names[i])) return 1;
	return 0;
}

static int pace_of(const char *name)
{
	if (among(name, each_tick, sizeof each_tick / sizeof *each_tick)) return 1;
	return among(name, seldom, sizeof seldom / sizeof *seldom) ? WHOLE_EVERY : FULL_EVERY;
}

/* Somewhere in the memory of that process: its first writable mapping. */
static off_t mapped_at(const char *mem)
{
	char path[64], line[512];
	snprintf(path, sizeof path, "%.*smaps", (int)(strlen(mem) - 3), mem);
	FILE *maps = fopen(path, "r");
	off_t at = 0;
	while (maps && !at && fgets(line, sizeof line, maps)) {
		unsigned long from;
		char how[8];
		if (sscanf(line, "%lx-%*x %7s", &from, how) == 2 && how[1] == 'w') at = (off_t)from;
	}
	if (maps) fclose(maps);
	return at;
}

static void keep(const char *path, int polls)
{
	const char *name = strrchr(path, '/') + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return;
	/* All files of a cgroup take their turn together, and cgroups one after the other. */
	unsigned turn = 5381;
	for (const char *c = path; c < name; c++) turn = turn * 33 + (unsigned char)*c;
	files[count++] = (struct kept){fd, pace_of(name), (int)(turn % WHOLE_EVERY), strcmp(name, "mem") ? 0 : mapped_at(path)};
	if (!polls || strcmp(name, "memory.pressure")) return;
	static const char *const told[] = {"cgroup.events", "memory.events"};
	for (int i = 0; i < 2; i++) {
		char beside[4096];
		snprintf(beside, sizeof beside, "%.*s%s", (int)(name - path), path, told[i]);
		int events = open(beside, O_RDONLY | O_CLOEXEC);
		if (events >= 0) news[news_count++] = (struct pollfd){events, POLLPRI, 0};
	}
}

static void keep_those_of(const char *pid, int polls)
{
	char folder[64], link[320], path[4096];
	snprintf(folder, sizeof folder, "/proc/%s/fd", pid);
	DIR *open_ones = opendir(folder);
	for (struct dirent *each; open_ones && (each = readdir(open_ones)) && count < MOST_FILES;) {
		snprintf(link, sizeof link, "%s/%s", folder, each->d_name);
		ssize_t length = readlink(link, path, sizeof path - 1);
		if (length <= 0) continue;
		path[length] = 0;
		int is_memory = !strncmp(path, "/proc/", 6) && !strcmp(path + length - 4, "/mem");
		if (is_memory || strstr(path, "/cgroup/")) keep(path, polls);
	}
	if (open_ones) closedir(open_ones);
}

static void read_those_due(int beat)
{
	static char text[65536];
	for (int i = 0; i < count; i++)
		if ((beat + files[i].turn) % files[i].every == 0) {
			size_t most = files[i].at ? 512 : sizeof text;
			if (pread(files[i].fd, text, most, files[i].at) < 0) continue;
		}
}

int main(int argc, char **argv)
{
	if (argc < 2) return 2;
	int polls = argc > 2 && !strcmp(argv[2], "poll");
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	keep_those_of(argv[1], polls);
	printf("reads %d files, waits for news of %d\n", polls ? 0 : count, news_count);
	fflush(stdout);
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int beat = 0;; beat++) {
		next.tv_sec++;
		if (!polls) read_those_due(beat);
		for (;;) {
			struct timespec now;
			clock_gettime(CLOCK_MONOTONIC, &now);
			long ms = (next.tv_sec - now.tv_sec) * 1000 + (next.tv_nsec - now.tv_nsec) / 1000000;
			if (ms <= 0) break;
			int told = poll(news, (nfds_t)news_count, (int)ms);
			for (int i = 0; told > 0 && i < news_count; i++) {
				char text[256];
				if (news[i].revents && pread(news[i].fd, text, sizeof text, 0) < 0) news[i].fd = -1;
			}
		}
	}
}
