// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "sampling.h"

#include <string.h>

#define SECOND_NS 1000000000ULL

/* xorshift64: only that looks fall on moments the program knows nothing of. */
static uint64_t next_random(struct sampling *sampling)
{
	uint64_t x = sampling->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return sampling->random = x;
}

static void enter(struct sampling *sampling, enum sampling_mode mode, uint64_t now_ns)
{
	sampling->mode = mode;
	sampling->since_ns = now_ns;
}

static void watch_all(struct sampling *sampling, uint64_t entered, uint64_t now_ns)
{
	enter(sampling, SAMPLING_ALL, now_ns);
	sampling->observing_since_ns = now_ns;
	sampling->entered_before = entered;
}

/* Adds what was observed until then and not yet taken. */
static void observe_until(struct sampling *sampling, uint64_t end_ns)
{
	if (end_ns <= sampling->observing_since_ns)
		return;
	sampling->observed_ns += end_ns - sampling->observing_since_ns;
	if (sampling->mode == SAMPLING_ALL)
		sampling->throughout_ns += end_ns - sampling->observing_since_ns;
	sampling->observing_since_ns = end_ns;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* Until when a look has looked, at most until now: its time is up whenever it is noticed, and so is its room. */
static uint64_t look_end(const struct sampling *sampling, const struct gate_view *gate, uint64_t now_ns)
{
	uint64_t end_ns = earlier(sampling->look_until_ns, gate->closed_ns ? gate->closed_ns : now_ns);

	return earlier(end_ns, now_ns);
}

static uint64_t per_second(uint64_t count, uint64_t span_ns)
{
	return span_ns == 0 ? 0 : (uint64_t)((double)count * SECOND_NS / (double)span_ns);
}

/* What one look may see on average. */
static uint64_t look_share(uint64_t limit)
{
	return limit * SAMPLING_STRETCH_NS / SECOND_NS;
}

/* Four fifths of its share, by the rate as last judged or by the looks since, if that is higher: few looks may all have missed the bursts. */
static uint64_t look_length(const struct sampling *sampling, uint64_t limit)
{
	uint64_t since = per_second(sampling->look_entered, sampling->look_ns);
	uint64_t rate = since > sampling->rate ? since : sampling->rate;
	uint64_t length = rate ? look_share(limit) * SECOND_NS / 5 * 4 / rate : SAMPLING_LONGEST_LOOK_NS;

	if (length < SAMPLING_SHORTEST_LOOK_NS)
		return SAMPLING_SHORTEST_LOOK_NS;
	return earlier(length, SAMPLING_LONGEST_LOOK_NS);
}

/* The next look begins at a random moment of the stretch after the present one. */
static void rest(struct sampling *sampling, uint64_t limit, uint64_t now_ns)
{
	uint64_t begin = sampling->stretch_end_ns > now_ns ? sampling->stretch_end_ns : now_ns;

	sampling->look_for_ns = look_length(sampling, limit);
	enter(sampling, SAMPLING_RESTING, now_ns);
	sampling->stretch_end_ns = begin + SAMPLING_STRETCH_NS;
	sampling->rest_until_ns = begin + next_random(sampling) % (SAMPLING_STRETCH_NS - SAMPLING_SETTLE_NS -
								    sampling->look_for_ns - SAMPLING_DRAIN_NS);
}

void sampling_start(struct sampling *sampling, uint64_t now_ns, uint64_t entered, uint64_t seed)
{
	memset(sampling, 0, sizeof(*sampling));
	sampling->random = seed | 1;
	sampling->taken_ns = now_ns;
	watch_all(sampling, entered, now_ns);
}

uint64_t sampling_room(uint64_t limit)
{
	uint64_t room = SAMPLING_ROOM_FOR_BURSTS * look_share(limit);

	return room ? room : 1;
}

/* Looks of a storm are compared by moving averages: what counts is how it comes and goes now. */
static void compare_look(struct sampling *sampling, uint64_t entered, uint64_t span_ns)
{
	double rate = (double)entered * SECOND_NS / (double)span_ns;

	if (sampling->compared < SAMPLING_COMPARED_LOOKS)
		sampling->compared++;
	sampling->mean_rate += (rate - sampling->mean_rate) / sampling->compared;
	sampling->mean_square += (rate * rate - sampling->mean_square) / sampling->compared;
}

static double look_variance(const struct sampling *sampling)
{
	double square = sampling->mean_rate * sampling->mean_rate;

	if (sampling->compared < SAMPLING_CALM_LOOKS || square == 0 || sampling->mean_square <= square)
		return 0;
	return sampling->mean_square / square - 1;
}

static enum sampling_action step_all(struct sampling *sampling, const struct gate_view *gate, uint64_t limit,
				     uint64_t now_ns)
{
	uint64_t span_ns = now_ns - sampling->since_ns;
	uint64_t entered = gate->entered - sampling->entered_before;

	/* A second's worth at once need not be waited for. */
	if (span_ns < SAMPLING_RATE_NS && entered <= limit)
		return SAMPLING_STAY;
	sampling->rate = per_second(entered, span_ns);
	if (sampling->rate <= limit) {
		sampling->since_ns = now_ns;
		sampling->entered_before = gate->entered;
		return SAMPLING_STAY;
	}
	observe_until(sampling, now_ns);
	sampling->looks = sampling->compared = 0;
	sampling->look_entered = sampling->look_ns = 0;
	enter(sampling, SAMPLING_DRAINING, now_ns);
	return SAMPLING_CLOSE;
}

static enum sampling_action step_looking(struct sampling *sampling, const struct gate_view *gate, uint64_t now_ns)
{
	uint64_t entered = gate->entered - sampling->entered_before, end_ns = look_end(sampling, gate, now_ns);

	if (gate->open && now_ns < sampling->look_until_ns)
		return SAMPLING_STAY;
	if (end_ns < sampling->since_ns)
		end_ns = sampling->since_ns;
	observe_until(sampling, end_ns);
	sampling->look_ns += end_ns - sampling->since_ns;
	sampling->look_entered += entered;
	sampling->looks++;
	if (end_ns > sampling->since_ns)
		compare_look(sampling, entered, end_ns - sampling->since_ns);
	enter(sampling, SAMPLING_DRAINING, now_ns);
	return SAMPLING_CLOSE;
}

static uint64_t drain_length(const struct sampling *sampling, uint64_t limit)
{
	uint64_t room = SAMPLING_ROOM_FOR_DRAINING * look_share(limit);
	uint64_t length = sampling->rate ? room * SECOND_NS / sampling->rate : SAMPLING_LONGEST_DRAIN_NS;

	if (length < SAMPLING_DRAIN_NS)
		return SAMPLING_DRAIN_NS;
	return earlier(length, SAMPLING_LONGEST_DRAIN_NS);
}

static enum sampling_action step_draining(struct sampling *sampling, const struct gate_view *gate, uint64_t limit,
					  uint64_t now_ns)
{
	uint64_t unfinished = gate->entered > gate->left ? gate->entered - gate->left : 0;

	if (unfinished && now_ns - sampling->since_ns < drain_length(sampling, limit))
		return SAMPLING_STAY;
	if (sampling->looks) { /* else they began while all were seen */
		sampling->unfinished += unfinished;
		sampling->unfinished_ns += unfinished * (now_ns - sampling->since_ns);
	}
	if (sampling->looks >= SAMPLING_CALM_LOOKS) {
		sampling->rate = per_second(sampling->look_entered, sampling->look_ns);
		sampling->looks = 0;
		sampling->look_entered = sampling->look_ns = 0;
		if (sampling->rate < limit / 2) {
			watch_all(sampling, gate->entered, now_ns);
			return SAMPLING_OPEN_FOR_ALL;
		}
	}
	rest(sampling, limit, now_ns);
	return SAMPLING_DETACH;
}

enum sampling_action sampling_step(struct sampling *sampling, const struct gate_view *gate, uint64_t limit,
				   uint64_t now_ns)
{
	switch (sampling->mode) {
	case SAMPLING_ALL:
		return step_all(sampling, gate, limit, now_ns);
	case SAMPLING_LOOKING:
		return step_looking(sampling, gate, now_ns);
	case SAMPLING_DRAINING:
		return step_draining(sampling, gate, limit, now_ns);
	case SAMPLING_RESTING:
		break;
	}
	return now_ns >= sampling->rest_until_ns ? SAMPLING_ATTACH_AND_OPEN : SAMPLING_STAY;
}

uint64_t sampling_look_begins(const struct sampling *sampling, uint64_t now_ns)
{
	uint64_t planned_ns = sampling->rest_until_ns + SAMPLING_SETTLE_NS, least_ns = now_ns + SAMPLING_SETTLE_NS / 3;

	return planned_ns > least_ns ? planned_ns : least_ns;
}

void sampling_opened(struct sampling *sampling, uint64_t entered, uint64_t begin_ns)
{
	enter(sampling, SAMPLING_LOOKING, begin_ns);
	sampling->observing_since_ns = begin_ns;
	sampling->look_until_ns = begin_ns + sampling->look_for_ns;
	sampling->entered_before = entered;
}

void sampling_failed(struct sampling *sampling, uint64_t limit, uint64_t now_ns)
{
	rest(sampling, limit, now_ns);
}

bool sampled_in_part(const struct sampled *sampled)
{
	return sampled->observed_ns < sampled->span_ns;
}

struct sampled sampling_take(struct sampling *sampling, const struct gate_view *gate, uint64_t now_ns)
{
	struct sampled taken;

	if (sampling->mode == SAMPLING_ALL)
		observe_until(sampling, now_ns);
	else if (sampling->mode == SAMPLING_LOOKING)
		observe_until(sampling, look_end(sampling, gate, now_ns));
	taken = (struct sampled){
		.observed_ns = sampling->observed_ns,
		.throughout_ns = sampling->throughout_ns,
		.span_ns = now_ns - sampling->taken_ns,
		.unfinished = sampling->unfinished,
		.unfinished_ns = sampling->unfinished_ns,
		.look_variance = look_variance(sampling),
	};
	sampling->taken_ns = now_ns;
	sampling->observed_ns = sampling->throughout_ns = sampling->unfinished = sampling->unfinished_ns = 0;
	return taken;
}
