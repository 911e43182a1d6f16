// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "mapped.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gc.skel.h"

/* A process may have 65,530 mappings (vm.max_map_count). */
#define MAX_READS 4096
#define MAPPINGS_A_READ 64

/* Reads the mappings of one process, or -1 where this kernel does not tell. */
static int open_mappings(const struct kernel *kernel, uint32_t pid)
{
	union bpf_iter_link_info info = { .task = { .tid = pid } };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link;
	int fd;

	if (!bpf_program__autoload(kernel->skeleton->progs.on_mapping))
		return -1;
	link = bpf_program__attach_iter(kernel->skeleton->progs.on_mapping, &options);
	if (!link)
		return -1;
	fd = bpf_iter_create(bpf_link__fd(link));
	bpf_link__destroy(link);
	return fd;
}

typedef bool (*match_fn)(const struct mapping *mapping, const void *wanted);

/* PROOF_YES with the mapping that matched; PROOF_NO only when there are others. */
static enum proof find(const struct kernel *kernel, uint32_t pid, match_fn match, const void *wanted,
		       struct mapping *found)
{
	struct mapping mappings[MAPPINGS_A_READ];
	enum proof proof = PROOF_UNKNOWN;
	int fd = open_mappings(kernel, pid);
	int reads;

	if (fd < 0)
		return PROOF_UNKNOWN;
	for (reads = 0; reads < MAX_READS && proof != PROOF_YES; reads++) {
		ssize_t size = read(fd, mappings, sizeof(mappings));
		size_t i, n = size > 0 ? (size_t)size / sizeof(*mappings) : 0;

		if (size < 0)
			proof = PROOF_UNKNOWN;
		if (size <= 0)
			break;
		for (i = 0; i < n && proof != PROOF_YES; i++) {
			proof = match(&mappings[i], wanted) ? PROOF_YES : PROOF_NO;
			*found = mappings[i];
		}
	}
	close(fd);
	return reads == MAX_READS ? PROOF_UNKNOWN : proof;
}

static bool is_at(const struct mapping *mapping, const void *page)
{
	return mapping->start == (uintptr_t)page;
}

static bool is_code_of(const struct mapping *mapping, const void *inode)
{
	return mapping->executable && mapping->inode == *(const uint64_t *)inode;
}

void mapped_file_open(struct mapped_file *file, int fd, const struct kernel *kernel)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_PRIVATE, fd, 0);
	struct mapping mapping;

	*file = (struct mapped_file){ 0 };
	if (page == MAP_FAILED)
		return;
	file->page = page;
	if (find(kernel, (uint32_t)getpid(), is_at, page, &mapping) == PROOF_YES)
		file->inode = mapping.inode;
}

void mapped_file_close(struct mapped_file *file)
{
	if (file->page)
		munmap(file->page, (size_t)sysconf(_SC_PAGESIZE));
	*file = (struct mapped_file){ 0 };
}

enum proof mapped_by(const struct mapped_file *file, uint32_t pid, const struct kernel *kernel)
{
	struct mapping mapping;

	return file->inode ? find(kernel, pid, is_code_of, &file->inode, &mapping) : PROOF_UNKNOWN;
}
