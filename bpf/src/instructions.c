// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "instructions.h"

/* RET without operand: Go's compiler emits no other. */
static bool x86_is_ret(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes > 0 && bytes[0] == 0xc3;
}

/* CALL rel32: emulated like the jumps below. */
static bool x86_is_call(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes > 0 && bytes[0] == 0xe8;
}

/* arch/x86/kernel/uprobes.c, branch_setup_xol_ops, since Linux 3.16 */
static bool x86_is_jump(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t first = n_bytes > 0 ? bytes[0] : 0, second = n_bytes > 1 ? bytes[1] : 0;

	return (first >= 0x70 && first <= 0x7f) || /* Jcc rel8 */
	       (first == 0x0f && second >= 0x80 && second <= 0x8f) || /* Jcc rel32 */
	       first == 0xeb || first == 0xe9; /* JMP rel8, JMP rel32 */
}

const struct instruction_set x86_instructions = {
	.alignment = 1,
	.is_ret = x86_is_ret,
	.is_call = x86_is_call,
	.is_jump = x86_is_jump,
};

/* 0, which is UDF, where there are too few bytes. */
static uint32_t arm64_word(const uint8_t *bytes, size_t n_bytes)
{
	if (n_bytes < 4)
		return 0;
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* By the link register: Go's compiler emits no other. */
static bool arm64_is_ret(const uint8_t *bytes, size_t n_bytes)
{
	return arm64_word(bytes, n_bytes) == 0xd65f03c0;
}

/* BL */
static bool arm64_is_call(const uint8_t *bytes, size_t n_bytes)
{
	return (arm64_word(bytes, n_bytes) & 0xfc000000) == 0x94000000;
}

/* arch/arm64/kernel/probes/decode-insn.c, arm_probe_decode_insn, which has RET and BL too */
static bool arm64_is_jump(const uint8_t *bytes, size_t n_bytes)
{
	uint32_t word = arm64_word(bytes, n_bytes);

	return (word & 0xfc000000) == 0x14000000 || /* B */
	       (word & 0xff000010) == 0x54000000 || /* B.cond */
	       (word & 0x7c000000) == 0x34000000; /* CBZ, CBNZ, TBZ, TBNZ */
}

const struct instruction_set arm64_instructions = {
	.alignment = 4,
	.is_ret = arm64_is_ret,
	.is_call = arm64_is_call,
	.is_jump = arm64_is_jump,
};
