/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The loader's side of a gate, which it shares with the program. */
#ifndef ROBOTGC_GATE_H
#define ROBOTGC_GATE_H

#include <stdint.h>

#include "events.h"
#include "sampling.h"

/* A gate's count of what began goes on; what left is set to the same, since nothing is under way. */
static inline void gate_open(struct gate *gate, uint64_t room, uint64_t from_ns, uint64_t until_ns)
{
	gate->epoch++;
	gate->left = gate->entered;
	gate->closed_ns = 0;
	gate->room = room == GATE_WITHOUT_LIMIT ? GATE_WITHOUT_LIMIT : gate->entered + room;
	gate->from_ns = from_ns;
	gate->until_ns = until_ns;
	__atomic_store_n(&gate->open, 1, __ATOMIC_RELEASE);
}

static inline void gate_close(struct gate *gate)
{
	__atomic_store_n(&gate->open, 0, __ATOMIC_RELEASE);
}

static inline struct gate_view gate_look(const struct gate *gate)
{
	return (struct gate_view){
		.open = __atomic_load_n(&gate->open, __ATOMIC_ACQUIRE),
		.entered = __atomic_load_n(&gate->entered, __ATOMIC_RELAXED),
		.left = __atomic_load_n(&gate->left, __ATOMIC_RELAXED),
		.closed_ns = __atomic_load_n(&gate->closed_ns, __ATOMIC_RELAXED),
	};
}

#endif
