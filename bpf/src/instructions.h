/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What may stand where a probe goes, for each machine that is known: a wrong place crashes the program. */
#ifndef ROBOTGC_INSTRUCTIONS_H
#define ROBOTGC_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instruction_set {
	/* Instructions begin at multiples of it. */
	size_t alignment;
	bool (*is_ret)(const uint8_t *bytes, size_t n_bytes);
	/* By address. */
	bool (*is_call)(const uint8_t *bytes, size_t n_bytes);
	/* With a relative target; the kernel's uprobes emulate it instead of single-stepping a copy, which takes ten times as long. */
	bool (*is_jump)(const uint8_t *bytes, size_t n_bytes);
};

extern const struct instruction_set x86_instructions, arm64_instructions;

#if defined(__x86_64__)
#define MACHINE_INSTRUCTIONS x86_instructions
#elif defined(__aarch64__)
#define MACHINE_INSTRUCTIONS arm64_instructions
#else
#error "nothing is known of this machine"
#endif

#endif
