// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "check.h"
#include "instructions.h"

enum what { NOTHING, RET, CALL, JUMP };

static const struct sample {
	const struct instruction_set *set;
	const char *name;
	uint8_t bytes[4];
	size_t n_bytes;
	enum what what;
} samples[] = {
	{ &x86_instructions, "RET", { 0xc3 }, 1, RET },
	{ &x86_instructions, "RET $n", { 0xc2, 0x08, 0x00 }, 3, NOTHING },
	{ &x86_instructions, "CALL rel32", { 0xe8, 0, 0, 0 }, 4, CALL },
	{ &x86_instructions, "JE rel8", { 0x74, 0x02 }, 2, JUMP },
	{ &x86_instructions, "JNE rel32", { 0x0f, 0x85, 0, 0 }, 4, JUMP },
	{ &x86_instructions, "half a JNE", { 0x0f }, 1, NOTHING },
	{ &x86_instructions, "JMP rel8", { 0xeb, 0x00 }, 2, JUMP },
	{ &x86_instructions, "JMP rel32", { 0xe9, 0, 0, 0 }, 4, JUMP },
	{ &x86_instructions, "JRCXZ", { 0xe3, 0x02 }, 2, NOTHING },
	{ &x86_instructions, "PUSH", { 0x55 }, 1, NOTHING },
	{ &arm64_instructions, "RET", { 0xc0, 0x03, 0x5f, 0xd6 }, 4, RET },
	{ &arm64_instructions, "RET (R1)", { 0x20, 0x00, 0x5f, 0xd6 }, 4, NOTHING },
	{ &arm64_instructions, "half a RET", { 0xc0, 0x03 }, 2, NOTHING },
	{ &arm64_instructions, "BL", { 0x36, 0x48, 0x01, 0x94 }, 4, CALL },
	{ &arm64_instructions, "BLR", { 0x00, 0x00, 0x3f, 0xd6 }, 4, NOTHING },
	{ &arm64_instructions, "B", { 0x0a, 0x00, 0x00, 0x14 }, 4, JUMP },
	{ &arm64_instructions, "B.EQ", { 0x60, 0x04, 0x00, 0x54 }, 4, JUMP },
	{ &arm64_instructions, "BC.EQ", { 0x70, 0x04, 0x00, 0x54 }, 4, NOTHING },
	{ &arm64_instructions, "CBNZ", { 0x42, 0x03, 0x00, 0xb5 }, 4, JUMP },
	{ &arm64_instructions, "CBZW", { 0x83, 0x00, 0x00, 0x34 }, 4, JUMP },
	{ &arm64_instructions, "TBZ $63", { 0x02, 0x08, 0xf8, 0xb6 }, 4, JUMP },
	{ &arm64_instructions, "TBNZ $0", { 0xc1, 0x06, 0x00, 0x37 }, 4, JUMP },
	{ &arm64_instructions, "BR", { 0x00, 0x00, 0x1f, 0xd6 }, 4, NOTHING },
	{ &arm64_instructions, "LDXR", { 0xc8, 0xfc, 0x5f, 0xc8 }, 4, NOTHING },
	{ &arm64_instructions, "no bytes", { 0 }, 0, NOTHING },
};

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];

		CHECK(s->set->is_ret(s->bytes, s->n_bytes) == (s->what == RET), "%s", s->name);
		CHECK(s->set->is_call(s->bytes, s->n_bytes) == (s->what == CALL), "%s", s->name);
		CHECK(s->set->is_jump(s->bytes, s->n_bytes) == (s->what == JUMP), "%s", s->name);
	}
	CHECK(x86_instructions.alignment == 1 && arm64_instructions.alignment == 4, "alignment");
	return checks_report("instructions");
}
