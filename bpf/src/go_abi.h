/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Go's register ABI (ABIInternal, Go 1.17 on; cmd/compile/abi-internal.md): the first integer
 * arguments and results go through these registers, and one (R14; on arm64 R28) holds the current g.
 */
#ifndef ROBOTGC_GO_ABI_H
#define ROBOTGC_GO_ABI_H

#include <linux/ptrace.h>

#if defined(__TARGET_ARCH_x86)
#define GO_ARG1(regs) ((regs)->rax)
#define GO_ARG2(regs) ((regs)->rbx)
#define GO_ARG3(regs) ((regs)->rcx)
#define GO_ARG4(regs) ((regs)->rdi)
#define GO_ARG5(regs) ((regs)->rsi)
#define GO_RESULT1(regs) ((regs)->rax)
#define GO_G(regs) ((regs)->r14)
#elif defined(__TARGET_ARCH_arm64)
#define GO_ARG1(context) (((struct user_pt_regs *)(context))->regs[0])
#define GO_ARG2(context) (((struct user_pt_regs *)(context))->regs[1])
#define GO_ARG3(context) (((struct user_pt_regs *)(context))->regs[2])
#define GO_ARG4(context) (((struct user_pt_regs *)(context))->regs[3])
#define GO_ARG5(context) (((struct user_pt_regs *)(context))->regs[4])
#define GO_RESULT1(context) (((struct user_pt_regs *)(context))->regs[0])
#define GO_G(context) (((struct user_pt_regs *)(context))->regs[28])
#else
#error "Go's argument registers on this machine are not known"
#endif

/* A goroutine, by the address of its g: these do not move, and are used again only after it has ended. */
struct goroutine {
	__u64 g;
	__u64 tgid;
};

#endif
