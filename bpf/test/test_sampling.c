// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* All stalls are seen while they are few, a stated part of them in a storm, all again when it is over. */
#include "check.h"
#include "sampling.h"

#define MS 1000000ULL
#define LIMIT 2000

/* A gate as the program keeps it, a clock, and stalls that begin at an even rate and take no time. */
struct world {
	uint64_t now_ns;
	double rate; /* stalls a second */
	double owed;
	bool attached, open;
	uint64_t room, epoch_entered;
	struct gate_view gate;
	struct sampling sampling;
	uint64_t hits, looks, longest_look_ns, opened_ns, detached_ns;
	bool stuck; /* stalls do not end */
};

static void start(struct world *world, double rate)
{
	memset(world, 0, sizeof(*world));
	world->now_ns = 1000 * MS;
	world->rate = rate;
	world->attached = world->gate.open = true;
	world->room = UINT64_MAX;
	sampling_start(&world->sampling, world->now_ns, 0, 12345);
}

static void stalls_of_one_ms(struct world *world)
{
	world->owed += world->rate / 1000;
	for (; world->owed >= 1; world->owed--) {
		if (!world->attached)
			continue;
		world->hits++;
		if (!world->gate.open)
			continue;
		world->gate.entered++;
		if (!world->stuck)
			world->gate.left++;
		if (world->gate.entered >= world->room) {
			world->gate.open = false;
			world->gate.closed_ns = world->now_ns;
		}
	}
}

static void open_gate(struct world *world, uint64_t room)
{
	world->gate.open = true;
	world->gate.closed_ns = 0;
	world->gate.left = world->gate.entered;
	world->room = room == UINT64_MAX ? room : world->gate.entered + room;
}

static void tick(struct world *world)
{
	stalls_of_one_ms(world);
	world->now_ns += MS;
	switch (sampling_step(&world->sampling, &world->gate, LIMIT, world->now_ns)) {
	case SAMPLING_STAY:
		break;
	case SAMPLING_OPEN_FOR_ALL:
		CHECK(world->attached, "points are in place");
		open_gate(world, UINT64_MAX);
		break;
	case SAMPLING_ATTACH_AND_OPEN:
		CHECK(!world->attached, "only after a rest");
		world->attached = true;
		open_gate(world, sampling_room(LIMIT));
		world->looks++;
		world->opened_ns = world->now_ns;
		sampling_opened(&world->sampling, world->gate.entered, world->now_ns);
		break;
	case SAMPLING_CLOSE:
		world->gate.open = false;
		break;
	case SAMPLING_DETACH:
		CHECK(!world->gate.open, "closed first");
		world->attached = false;
		if (world->looks && world->now_ns - world->opened_ns > world->longest_look_ns)
			world->longest_look_ns = world->now_ns - world->opened_ns;
		break;
	}
}

static void run(struct world *world, uint64_t ms)
{
	while (ms--)
		tick(world);
}

static void few_are_all_seen(void)
{
	static struct world world;
	struct sampled sampled;

	start(&world, LIMIT * 0.9);
	run(&world, 5000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(!sampled_in_part(&sampled), "%llu of %llu ns", (unsigned long long)sampled.observed_ns,
	      (unsigned long long)sampled.span_ns);
	CHECK(world.hits == world.gate.entered && world.hits >= 8990, "%llu", (unsigned long long)world.hits);
}

static void a_storm_is_sampled_within_its_limit(void)
{
	static struct world world;
	struct sampled sampled;
	uint64_t hits, entered;
	double estimate;

	start(&world, 200000);
	run(&world, 1000);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	hits = world.hits;
	entered = world.gate.entered;
	world.looks = 0;
	run(&world, 10000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(sampled_in_part(&sampled), "all?");
	CHECK(world.looks >= 30 && world.looks <= 41, "%llu looks in 10 s", (unsigned long long)world.looks);
	CHECK(world.gate.entered - entered <= 10 * LIMIT, "%llu seen", (unsigned long long)(world.gate.entered - entered));
	/* A hit that finds the gate closed still costs: at most one tick's worth after each look. */
	CHECK(world.hits - hits <= 10 * LIMIT + world.looks * 2 * 200, "%llu hits", (unsigned long long)(world.hits - hits));
	estimate = (double)(world.gate.entered - entered) / (double)sampled.observed_ns * 1e9;
	CHECK(estimate > 100000 && estimate < 500000, "%.0f a second, 1 ms ticks", estimate);
	CHECK(sampled.unfinished == 0, "%llu", (unsigned long long)sampled.unfinished);
}

static void a_moderate_storm_is_estimated_well(void)
{
	static struct world world;
	struct sampled sampled;
	uint64_t entered;
	double estimate;

	start(&world, 20000);
	run(&world, 1000);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	entered = world.gate.entered;
	run(&world, 20000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	estimate = (double)(world.gate.entered - entered) / (double)sampled.observed_ns * 1e9;
	CHECK(estimate > 18000 && estimate < 22500, "%.0f a second", estimate);
}

/* Just above the limit most of what may be seen is seen. */
static void a_slight_storm_is_seen_for_much_of_the_time(void)
{
	static struct world world;
	struct sampled sampled;
	uint64_t entered, seen;

	start(&world, 2 * LIMIT);
	run(&world, 3000);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	entered = world.gate.entered;
	run(&world, 20000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	seen = world.gate.entered - entered;
	CHECK(seen > 10 * LIMIT && seen <= 20 * LIMIT, "%llu seen in 20 s", (unsigned long long)seen);
	CHECK(sampled.observed_ns > sampled.span_ns / 4, "%llu of %llu ns", (unsigned long long)sampled.observed_ns,
	      (unsigned long long)sampled.span_ns);
}

/* Whoever asks in the midst of a look gets what was seen until then, and how long that was. */
static void a_look_is_split_where_it_is_asked_for(void)
{
	static struct world world;
	struct sampled sampled;
	uint64_t entered;
	int window, split = 0;

	start(&world, 2 * LIMIT);
	run(&world, 3000);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	for (window = 0; window < 200; window++) {
		double estimate;

		entered = world.gate.entered;
		run(&world, 97);
		split += world.sampling.mode == SAMPLING_LOOKING;
		sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
		if (!sampled.observed_ns) {
			CHECK(world.gate.entered == entered, "seen, but when?");
			continue;
		}
		CHECK(sampled.observed_ns <= sampled.span_ns, "more than there was");
		estimate = (double)(world.gate.entered - entered) / (double)sampled.observed_ns * 1e9;
		/* Looks begin and end with a tick of a millisecond. */
		if (sampled.observed_ns >= 20 * MS)
			CHECK(estimate > 0.9 * 2 * LIMIT && estimate < 1.1 * 2 * LIMIT, "%.0f a second", estimate);
	}
	CHECK(split > 20, "%d looks were split", split);
}

/* Its room is used up before it ends: what it observed is over with that. */
static void a_look_that_has_closed_is_split_there(void)
{
	static struct sampling sampling;
	struct gate_view gate = { .open = true };
	struct sampled sampled;

	sampling_start(&sampling, 0, 0, 1);
	sampling_take(&sampling, &gate, 100 * MS);
	sampling_opened(&sampling, 0, 100 * MS);
	sampled = sampling_take(&sampling, &gate, 101 * MS);
	CHECK(sampled.observed_ns == MS, "%llu ns", (unsigned long long)sampled.observed_ns);
	gate = (struct gate_view){ .entered = 9, .left = 9, .closed_ns = 102 * MS };
	sampled = sampling_take(&sampling, &gate, 104 * MS);
	CHECK(sampled.observed_ns == MS, "%llu ns", (unsigned long long)sampled.observed_ns);
	CHECK(sampling_step(&sampling, &gate, LIMIT, 105 * MS) == SAMPLING_CLOSE, "the look is over");
	sampled = sampling_take(&sampling, &gate, 106 * MS);
	CHECK(sampled.observed_ns == 0, "%llu ns", (unsigned long long)sampled.observed_ns);
	CHECK(sampling.look_ns == 2 * MS, "%llu ns for the rate", (unsigned long long)sampling.look_ns);
}

static void after_a_storm_all_are_seen_again(void)
{
	static struct world world;
	struct sampled sampled;

	start(&world, 100000);
	run(&world, 3000);
	CHECK(world.sampling.mode != SAMPLING_ALL, "a storm");
	world.rate = 100;
	run(&world, 6000);
	CHECK(world.sampling.mode == SAMPLING_ALL && world.attached && world.gate.open, "mode %d", world.sampling.mode);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	run(&world, 1000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(!sampled_in_part(&sampled), "all of them");
}

/* A rate between half the limit and the limit must not make it change its mind for ever. */
static void it_does_not_swing(void)
{
	static struct world world;
	int changes = 0, i;

	start(&world, LIMIT * 0.75);
	for (i = 0; i < 60000; i++) {
		enum sampling_mode before = world.sampling.mode;

		tick(&world);
		changes += (before == SAMPLING_ALL) != (world.sampling.mode == SAMPLING_ALL);
	}
	CHECK(changes == 0, "%d changes in a minute", changes);
}

static void what_does_not_end_is_not_waited_for(void)
{
	static struct world world;
	struct sampled sampled;

	start(&world, 50000);
	run(&world, 1000);
	world.stuck = true;
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	world.longest_look_ns = 0;
	run(&world, 2000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(sampled.unfinished > 0, "none");
	CHECK(world.longest_look_ns <= SAMPLING_LOOK_NS + SAMPLING_DRAIN_NS + 4 * MS, "%llu ns in place",
	      (unsigned long long)world.longest_look_ns);
}

static void a_failed_look_is_tried_again(void)
{
	static struct world world;
	int tries = 0, i;

	start(&world, 50000);
	for (i = 0; i < 5000; i++) {
		stalls_of_one_ms(&world);
		world.now_ns += MS;
		switch (sampling_step(&world.sampling, &world.gate, LIMIT, world.now_ns)) {
		case SAMPLING_ATTACH_AND_OPEN:
			tries++;
			sampling_failed(&world.sampling, LIMIT, world.now_ns);
			break;
		case SAMPLING_CLOSE:
			world.gate.open = false;
			break;
		case SAMPLING_DETACH:
			world.attached = false;
			break;
		default:
			break;
		}
	}
	CHECK(tries >= 10 && tries <= 21, "%d tries in 5 s", tries);
}

int main(void)
{
	few_are_all_seen();
	a_storm_is_sampled_within_its_limit();
	a_moderate_storm_is_estimated_well();
	a_slight_storm_is_seen_for_much_of_the_time();
	a_look_is_split_where_it_is_asked_for();
	a_look_that_has_closed_is_split_there();
	after_a_storm_all_are_seen_again();
	it_does_not_swing();
	what_does_not_end_is_not_waited_for();
	a_failed_look_is_tried_again();
	return checks_report("sampling");
}
