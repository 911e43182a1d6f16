// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Looks at assist stalls: what sampling decides, done to gates and points. */
#include "attachments.h"

#include <stdio.h>

#include "gate.h"
#include "records.h"

/* How often the loop must look while it waits for something. */
#define BUSY_MS 1
#define CALM_MS 10
/* While no assist stalls at all: the rate is judged over as long. */
#define QUIET_MS 100

static bool has_assists(const struct attachment *entry)
{
	size_t i;

	for (i = 0; i < entry->request.n_points; i++)
		if (point_group(entry->request.points[i].point) == GROUP_ASSISTS)
			return true;
	return false;
}

/* What each of those that need much may use: the others hardly count. */
static uint64_t share_of(const struct attachments *attachments, uint64_t limit)
{
	uint32_t i, busy = 0;

	for (i = 0; i < attachments->n; i++)
		if (attachments->entries[i].id[0] && attachments->entries[i].sampling.rate > limit / 16)
			busy++;
	return limit / (busy ? busy : 1);
}

static void look(struct attachments *attachments, uint32_t index, const struct kernel *kernel, uint64_t share)
{
	struct attachment *entry = &attachments->entries[index];
	struct gate *gate = &attachments->gates[index];
	struct failure failure;
	uint64_t entered, begin_ns;

	if (!entry->groups[GROUP_ASSISTS].attached &&
	    !attachment_attach_group(entry, index, GROUP_ASSISTS, kernel, &failure)) {
		fprintf(stderr, "robotgc-probe: %s\n", failure.message);
		sampling_failed(&entry->sampling, share, now_ns());
		return;
	}
	entered = gate->entered;
	begin_ns = sampling_look_begins(&entry->sampling, now_ns());
	gate_open(gate, sampling_room(share), begin_ns, begin_ns + entry->sampling.look_for_ns);
	sampling_opened(&entry->sampling, entered, begin_ns);
}

struct sampled attachments_take_sampled(struct attachments *attachments, uint32_t index, uint64_t at_ns)
{
	struct attachment *entry = &attachments->entries[index];
	struct gate_view view = gate_look(&attachments->gates[index]);

	return entry->id[0] ? sampling_take(&entry->sampling, &view, at_ns) : (struct sampled){ 0 };
}

static void sample_one(struct attachments *attachments, uint32_t index, const struct kernel *kernel, uint64_t share,
		       uint64_t at_ns)
{
	struct attachment *entry = &attachments->entries[index];
	struct gate *gate = &attachments->gates[index];
	struct gate_view view = gate_look(gate);

	switch (sampling_step(&entry->sampling, &view, share, at_ns)) {
	case SAMPLING_STAY:
		break;
	case SAMPLING_OPEN_FOR_ALL:
		gate_open(gate, GATE_WITHOUT_LIMIT, 0, GATE_WITHOUT_LIMIT);
		break;
	case SAMPLING_ATTACH_AND_OPEN:
		look(attachments, index, kernel, share);
		break;
	case SAMPLING_CLOSE:
		gate_close(gate);
		break;
	case SAMPLING_DETACH:
		uprobes_detach(&entry->groups[GROUP_ASSISTS]);
		break;
	}
}

static int next_look_ms(struct attachment *entry, uint64_t entered)
{
	bool quiet = entered == entry->entered_before;

	entry->entered_before = entered;
	if (entry->sampling.mode == SAMPLING_LOOKING || entry->sampling.mode == SAMPLING_DRAINING)
		return BUSY_MS;
	return entry->sampling.mode == SAMPLING_ALL && quiet ? QUIET_MS : CALM_MS;
}

int attachments_sample(struct attachments *attachments, const struct kernel *kernel, uint64_t limit, uint64_t at_ns)
{
	uint64_t share = share_of(attachments, limit);
	int wait_ms = QUIET_MS, next_ms;
	uint32_t i;

	for (i = 0; i < attachments->n; i++) {
		struct attachment *entry = &attachments->entries[i];

		if (!entry->id[0] || entry->resting || !has_assists(entry))
			continue;
		sample_one(attachments, i, kernel, share, at_ns);
		next_ms = next_look_ms(entry, attachments->gates[i].entered);
		if (next_ms < wait_ms)
			wait_ms = next_ms;
	}
	return wait_ms;
}
