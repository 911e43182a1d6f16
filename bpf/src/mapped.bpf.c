// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which inodes a process has mapped: those that uprobes are put in. Through a stacked filesystem (overlayfs) stat(2) and, by kernel,
 * /proc/PID/maps tell others, a different one for each mount.
 */
#include "program.bpf.h"

#define VM_EXEC 0x4

struct inode;

struct file {
	struct inode *f_inode;
} __attribute__((preserve_access_index));

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_flags;
	struct file *vm_file;
} __attribute__((preserve_access_index));

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct vm_area_struct *vma;
} __attribute__((preserve_access_index));

SEC("iter/task_vma")
int on_mapping(struct bpf_iter__task_vma *context)
{
	struct vm_area_struct *area = context->vma;
	struct mapping mapping = { 0 };
	struct file *file;

	if (!area)
		return 0;
	file = area->vm_file;
	if (!file)
		return 0;
	mapping.start = area->vm_start;
	mapping.inode = (__u64)file->f_inode;
	mapping.executable = !!(area->vm_flags & VM_EXEC);
	bpf_seq_write(context->meta->seq, &mapping, sizeof(mapping));
	return 0;
}
