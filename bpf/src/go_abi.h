/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Go's register ABI (ABIInternal, Go 1.17 on; cmd/compile/abi-internal.md): the first integer
 * arguments and results go through these registers, and R14 holds the current g.
 */
#ifndef ROBOTGC_GO_ABI_H
#define ROBOTGC_GO_ABI_H

#include <linux/ptrace.h>

#if !defined(__x86_64__) && !defined(__TARGET_ARCH_x86)
#error "only amd64: Go's argument registers differ on other machines"
#endif

#define GO_ARG1(regs) ((regs)->rax)
#define GO_ARG2(regs) ((regs)->rbx)
#define GO_ARG3(regs) ((regs)->rcx)
#define GO_ARG4(regs) ((regs)->rdi)
#define GO_RESULT1(regs) ((regs)->rax)
#define GO_G(regs) ((regs)->r14)

#endif
