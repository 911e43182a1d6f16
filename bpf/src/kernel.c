// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gc.skel.h"
#include "uprobe_multi.h"

const char *attach_way_name(enum attach_way way)
{
	return way == ATTACH_UPROBE_MULTI ? "uprobe_multi" : "perf";
}

static bool explain_load(int error, struct failure *failure)
{
	if (error == EPERM || error == EACCES)
		return failure_set(failure, ERROR_NO_PERMISSION,
				   "the kernel refused to load the BPF program (%s): run as root or with CAP_BPF, "
				   "CAP_PERFMON and CAP_SYS_PTRACE%s", strerror(error),
				   error == EACCES ? "; with these it is the kernel's verifier that refuses it, whose "
						     "words --verbose shows" : "");
	if (error == ENOSYS || error == EINVAL || error == EOPNOTSUPP)
		return failure_set(failure, ERROR_NO_BPF,
				   "this kernel cannot run the BPF program (%s): Linux 5.15 or later with "
				   "CONFIG_BPF_SYSCALL and CONFIG_UPROBE_EVENTS is needed", strerror(error));
	return failure_set(failure, ERROR_INTERNAL,
			   "the BPF program could not be loaded (%s): run with --verbose for the verifier's words",
			   strerror(error));
}

/* PROC_PID_INIT_INO of linux/proc_ns.h: the first pid namespace has this inode on every machine. */
#define FIRST_PIDNS_INO 0xeffffffcU

/* In a container with pids of its own, the program has to speak of the same ones. */
static void adopt_pid_namespace(struct gc_bpf *skeleton)
{
	struct stat namespace;

	if (stat("/proc/self/ns/pid", &namespace) || namespace.st_ino == FIRST_PIDNS_INO)
		return;
	skeleton->rodata->pidns_dev = namespace.st_dev;
	skeleton->rodata->pidns_ino = namespace.st_ino;
}

bool kernel_knows_pid(uint32_t pid)
{
	struct stat ours, theirs;
	char path[64];

	if (stat("/proc/self/ns/pid", &ours) || ours.st_ino == FIRST_PIDNS_INO)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	/* What cannot be looked up is given the benefit of the doubt. */
	return stat(path, &theirs) || theirs.st_ino == ours.st_ino;
}

/* Returns 0 or an errno. */
static int load(struct kernel *kernel, bool multi)
{
	struct gc_bpf *skeleton = gc_bpf__open();
	int error;

	if (!skeleton)
		return errno;
	adopt_pid_namespace(skeleton);
	bpf_program__set_autoload(skeleton->progs.on_mapping, libbpf_find_vmlinux_btf_id("task_vma", BPF_TRACE_ITER) > 0);
	if (multi) {
		bpf_program__set_expected_attach_type(skeleton->progs.on_hit,
						      (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
		bpf_program__set_expected_attach_type(skeleton->progs.on_network_hit,
						      (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
	}
	error = -gc_bpf__load(skeleton);
	if (error) {
		gc_bpf__destroy(skeleton);
		return error;
	}
	kernel->skeleton = skeleton;
	/* The kernel's type information, 10 MB, has been read and let go; malloc keeps it below what came later. */
	malloc_trim(0);
	return 0;
}

/* A kernel that knows uprobe_multi gets as far as the path, and finds that "/" is not a file: EBADF. */
static bool has_uprobe_multi(const struct kernel *kernel)
{
	uint64_t offset = 0, cookie = 0;
	int fd = uprobe_multi_link(bpf_program__fd(kernel->skeleton->progs.on_hit), "/", &offset, &cookie, 1, false);

	if (fd >= 0)
		close(fd);
	return fd == -EBADF;
}

static bool load_for_uprobe_multi(struct kernel *kernel, int *error)
{
	*error = load(kernel, true);
	if (*error)
		return false;
	kernel->way = ATTACH_UPROBE_MULTI;
	if (has_uprobe_multi(kernel))
		return true;
	kernel_unload(kernel);
	*error = EINVAL;
	return false;
}

bool kernel_load(struct kernel *kernel, enum attach_way wanted, struct failure *failure)
{
	int error;

	if (wanted != ATTACH_PERF) {
		if (load_for_uprobe_multi(kernel, &error))
			return true;
		if (error != EINVAL)
			return explain_load(error, failure);
	}
	if (wanted == ATTACH_UPROBE_MULTI)
		return failure_set(failure, ERROR_NO_BPF,
				   "this kernel has no uprobe_multi links (Linux 6.6 has): leave out --attach to use "
				   "perf events, which need CAP_SYS_ADMIN");
	/* The same program again: one loaded for uprobe_multi is refused by perf events. */
	error = load(kernel, false);
	kernel->way = ATTACH_PERF;
	return error ? explain_load(error, failure) : true;
}

void kernel_unload(struct kernel *kernel)
{
	gc_bpf__destroy(kernel->skeleton);
	kernel->skeleton = NULL;
}

static bool explain_attach(int error, const struct kernel *kernel, const char *file, struct failure *failure)
{
	if (error == EPERM || error == EACCES)
		return failure_set(failure, ERROR_NO_PERMISSION,
				   "uprobes on %s were refused (%s): %s", file, strerror(error),
				   kernel->way == ATTACH_PERF ?
					   "on this kernel they need CAP_SYS_ADMIN" :
					   "CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE are needed");
	return failure_set(failure, ERROR_ATTACH_FAILED,
			   "uprobes on %s could not be put in place by %s: %s; the process runs on unobserved",
			   file, attach_way_name(kernel->way), strerror(error));
}

enum point_group point_group(enum point point)
{
	switch (point) {
	case POINT_ASSIST_ENTRY:
	case POINT_ASSIST_RET:
	case POINT_ASSIST_EXIT:
	case POINT_ASSIST_SLOW_BEGIN:
	case POINT_ASSIST_SLOW_END:
		return GROUP_ASSISTS;
	case POINT_TLS_CLIENT_ENTRY:
	case POINT_TLS_CLIENT_RET:
	case POINT_TLS_SERVER_ENTRY:
	case POINT_TLS_SERVER_RET:
	case POINT_SSL_ENTRY:
	case POINT_SSL_FREE:
	case POINT_POLL_PARK_BEGIN:
	case POINT_POLL_PARK_END:
		return GROUP_NETWORK;
	case POINT_SSL_RETURN:
		return GROUP_NETWORK_RETURNS;
	default:
		return GROUP_CYCLES;
	}
}

static struct bpf_program *program_of(const struct kernel *kernel, enum point_group group)
{
	return group == GROUP_NETWORK || group == GROUP_NETWORK_RETURNS ? kernel->skeleton->progs.on_network_hit :
									  kernel->skeleton->progs.on_hit;
}

/* The points of one group, as the kernel takes them. */
struct chosen {
	uint64_t offsets[MAX_POINTS], cookies[MAX_POINTS];
	size_t n;
};

static void choose(const struct attach_request *request, enum point_group group, uint32_t attachment,
		   struct chosen *chosen)
{
	size_t i;

	chosen->n = 0;
	for (i = 0; i < request->n_points; i++) {
		const struct attach_point *point = &request->points[i];

		if (point_group(point->point) != group)
			continue;
		chosen->offsets[chosen->n] = point->offset;
		chosen->cookies[chosen->n] =
			cookie_make(point->point, attachment, request->layout.size, request->stopping_known,
				    request->goid_offset);
		chosen->n++;
	}
}

static int attach_multi(const struct kernel *kernel, const struct chosen *chosen, enum point_group group,
			const char *path, struct uprobes *uprobes)
{
	uprobes->multi_fd = uprobe_multi_link(bpf_program__fd(program_of(kernel, group)), path, chosen->offsets,
					      chosen->cookies, chosen->n, group == GROUP_NETWORK_RETURNS);
	return uprobes->multi_fd < 0 ? -uprobes->multi_fd : 0;
}

static int attach_perf(const struct kernel *kernel, const struct chosen *chosen, enum point_group group,
		       const char *path, struct uprobes *uprobes)
{
	size_t i;

	for (i = 0; i < chosen->n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = chosen->cookies[i],
			    .retprobe = group == GROUP_NETWORK_RETURNS);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(program_of(kernel, group), -1, path,
									chosen->offsets[i], &options);

		if (!link)
			return errno;
		uprobes->links[uprobes->n_links++] = link;
	}
	return 0;
}

bool uprobes_attach(const struct kernel *kernel, const struct attach_request *request, enum point_group group,
		    const char *path, uint32_t attachment, struct uprobes *uprobes, struct failure *failure)
{
	struct chosen chosen;
	int error;

	*uprobes = (struct uprobes){ .attached = true, .multi_fd = -1 };
	choose(request, group, attachment, &chosen);
	if (chosen.n == 0)
		return true;
	if (kernel->way == ATTACH_UPROBE_MULTI)
		error = attach_multi(kernel, &chosen, group, path, uprobes);
	else
		error = attach_perf(kernel, &chosen, group, path, uprobes);
	if (!error)
		return true;
	uprobes_detach(uprobes);
	return explain_attach(error, kernel, request->file, failure);
}

void uprobes_detach(struct uprobes *uprobes)
{
	size_t i;

	if (uprobes->attached && uprobes->multi_fd >= 0)
		close(uprobes->multi_fd);
	for (i = 0; i < uprobes->n_links; i++)
		bpf_link__destroy(uprobes->links[i]);
	*uprobes = (struct uprobes){ 0 };
}
