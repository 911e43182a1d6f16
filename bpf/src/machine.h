/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * All that depends on the processor, for each that is known.
 *
 * Go's register ABI (ABIInternal, Go 1.17 on; cmd/compile/abi-internal.md): the first integer arguments and results go through these
 * registers, and one holds the current g. The same table is in src/gobin/architecture.ts.
 *
 * System calls: asm/unistd_64.h and asm-generic/unistd.h.
 */
#ifndef ROBOTGC_MACHINE_H
#define ROBOTGC_MACHINE_H

#if defined(__TARGET_ARCH_x86)

#include <linux/ptrace.h>

#define GO_ARG1(regs) ((regs)->rax)
#define GO_ARG2(regs) ((regs)->rbx)
#define GO_ARG3(regs) ((regs)->rcx)
#define GO_ARG4(regs) ((regs)->rdi)
#define GO_ARG5(regs) ((regs)->rsi)
#define GO_RESULT1(regs) ((regs)->rax)
#define GO_G(regs) ((regs)->r14)
/* The System V ABI of C. */
#define C_ARG1(regs) ((regs)->rdi)
#define C_RESULT(regs) ((regs)->rax)

#define SYSCALL_MMAP 9
#define SYSCALL_MUNMAP 11
#define SYSCALL_FIELD orig_ax
#define SYSCALL_FIELD_TYPE unsigned long

#elif defined(__TARGET_ARCH_arm64)

/* The uapi's struct user_pt_regs, which the headers of other machines lack. */
struct arm64_registers {
	__u64 regs[31];
};
#define ARM64_REGISTER(context, n) (((struct arm64_registers *)(context))->regs[n])
#define GO_ARG1(context) ARM64_REGISTER(context, 0)
#define GO_ARG2(context) ARM64_REGISTER(context, 1)
#define GO_ARG3(context) ARM64_REGISTER(context, 2)
#define GO_ARG4(context) ARM64_REGISTER(context, 3)
#define GO_ARG5(context) ARM64_REGISTER(context, 4)
#define GO_RESULT1(context) ARM64_REGISTER(context, 0)
#define GO_G(context) ARM64_REGISTER(context, 28)
/* The procedure call standard of C. */
#define C_ARG1(context) ARM64_REGISTER(context, 0)
#define C_RESULT(context) ARM64_REGISTER(context, 0)

#define SYSCALL_MMAP 222
#define SYSCALL_MUNMAP 215
#define SYSCALL_FIELD syscallno
#define SYSCALL_FIELD_TYPE int

#else
#error "nothing is known of this machine"
#endif

/* The kernel's struct pt_regs, of which only the number of the system call is of interest. */
struct pt_regs___kernel {
	SYSCALL_FIELD_TYPE SYSCALL_FIELD;
} __attribute__((preserve_access_index));
#define SYSCALL_OF(regs) BPF_CORE_READ(regs, SYSCALL_FIELD)

/* A goroutine, by the address of its g: these do not move, and are used again only after it has ended. */
struct goroutine {
	__u64 g;
	__u64 tgid;
};

#endif
