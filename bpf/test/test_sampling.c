// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* All stalls are seen while they are few, a stated part of them in a storm, all again when it is over. */
#include "check.h"
#include "sampling.h"

#define MS 1000000ULL
#define LIMIT 2000

/* A gate as the program keeps it, a clock, and stalls that begin at an even rate, or in bursts, and take no time. */
struct world {
	uint64_t now_ns;
	double rate; /* stalls a second */
	uint64_t burst_ms, every_ms; /* all of them in so much of each such stretch; 0: evenly */
	uint64_t late_ms; /* the loader gets its processor so long after it wanted to; 0: within a ms */
	double owed;
	bool attached, open;
	uint64_t room, from_ns, until_ns;
	struct gate_view gate;
	struct sampling sampling;
	uint64_t happened, hits, looks, longest_look_ns, opened_ns;
	bool stuck; /* stalls do not end */
};

static void start(struct world *world, double rate)
{
	memset(world, 0, sizeof(*world));
	world->now_ns = 1000 * MS;
	world->rate = rate;
	world->attached = world->gate.open = true;
	world->room = world->until_ns = UINT64_MAX;
	sampling_start(&world->sampling, world->now_ns, 0, 12345);
}

static void stall(struct world *world, uint64_t at_ns)
{
	world->happened++;
	if (!world->attached)
		return;
	world->hits++;
	if (!world->gate.open || at_ns < world->from_ns || at_ns >= world->until_ns)
		return;
	world->gate.entered++;
	if (!world->stuck)
		world->gate.left++;
	if (world->gate.entered >= world->room) {
		world->gate.open = false;
		world->gate.closed_ns = at_ns;
	}
}

static void stalls_of_one_ms(struct world *world)
{
	double rate = world->rate;
	uint64_t i, stalls;

	if (world->every_ms)
		rate *= world->now_ns / MS % world->every_ms < world->burst_ms ?
				(double)world->every_ms / (double)world->burst_ms : 0;
	world->owed += rate / 1000;
	stalls = (uint64_t)world->owed;
	world->owed -= (double)stalls;
	for (i = 0; i < stalls; i++)
		stall(world, world->now_ns + i * MS / stalls);
}

static void open_gate(struct world *world, uint64_t room, uint64_t from_ns, uint64_t until_ns)
{
	world->gate.open = true;
	world->gate.closed_ns = 0;
	world->gate.left = world->gate.entered;
	world->room = room == UINT64_MAX ? room : world->gate.entered + room;
	world->from_ns = from_ns;
	world->until_ns = until_ns;
}

static void tick(struct world *world)
{
	uint64_t begin_ns;

	stalls_of_one_ms(world);
	world->now_ns += MS;
	if (world->late_ms && world->now_ns / MS % world->late_ms)
		return;
	switch (sampling_step(&world->sampling, &world->gate, LIMIT, world->now_ns)) {
	case SAMPLING_STAY:
		break;
	case SAMPLING_OPEN_FOR_ALL:
		CHECK(world->attached, "points are in place");
		open_gate(world, UINT64_MAX, 0, UINT64_MAX);
		break;
	case SAMPLING_ATTACH_AND_OPEN:
		CHECK(!world->attached, "only after a rest");
		world->attached = true;
		begin_ns = sampling_look_begins(&world->sampling, world->now_ns);
		open_gate(world, sampling_room(LIMIT), begin_ns, begin_ns + world->sampling.look_for_ns);
		world->looks++;
		world->opened_ns = world->now_ns;
		sampling_opened(&world->sampling, world->gate.entered, begin_ns);
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

/* The storm that ends the time in which all were seen is the last of it: what was seen until then must not stand for what came after. */
static void what_was_seen_before_a_storm_is_told_apart(void)
{
	static struct world world;
	struct sampled sampled;

	start(&world, LIMIT / 2);
	run(&world, 500);
	sampling_take(&world.sampling, &world.gate, world.now_ns);
	run(&world, 300);
	world.rate = 100000;
	run(&world, 700);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(sampled.throughout_ns >= 300 * MS && sampled.throughout_ns <= 410 * MS, "%llu ns",
	      (unsigned long long)sampled.throughout_ns);
	CHECK(sampled.observed_ns > sampled.throughout_ns, "and looks after it");
	run(&world, 1000);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(sampled.throughout_ns == 0 && sampled.observed_ns > 0, "looks alone");
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
	/* A hit that finds the gate closed still costs, less: those before each look, and at most a tick's worth after it. */
	CHECK(world.hits - hits <= 10 * LIMIT + world.looks * (SAMPLING_SETTLE_NS / MS + 2) * 200, "%llu hits", (unsigned long long)(world.hits - hits));
	estimate = (double)(world.gate.entered - entered) / (double)sampled.observed_ns * 1e9;
	CHECK(estimate > 198000 && estimate < 202000, "%.0f a second", estimate);
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
	CHECK(estimate > 19800 && estimate < 20200, "%.0f a second", estimate);
}

/* What was told of a minute, relative to the truth. */
static double told_of_a_minute(struct world *world)
{
	struct sampled sampled;
	uint64_t entered, happened;

	run(world, 3000);
	sampling_take(&world->sampling, &world->gate, world->now_ns);
	entered = world->gate.entered;
	happened = world->happened;
	run(world, 60000);
	sampled = sampling_take(&world->sampling, &world->gate, world->now_ns);
	return (double)(world->gate.entered - entered) / (double)sampled.observed_ns * (double)sampled.span_ns /
	       (double)(world->happened - happened);
}

/* A storm leaves it no processor: looks are as long as they were meant to be all the same. */
static void a_loader_that_comes_late_changes_nothing(void)
{
	static struct world world;
	struct sampled sampled;
	double told;

	start(&world, 150000);
	world.late_ms = 20;
	told = told_of_a_minute(&world);
	CHECK(told > 0.99 && told < 1.01, "%.2f of the truth", told);
	sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
	CHECK(sampled.look_variance < 0.01, "%.3f, of looks that are all alike", sampled.look_variance);
	CHECK(world.sampling.look_ns < world.sampling.looks * 3 * MS, "%llu ns in %u looks",
	      (unsigned long long)world.sampling.look_ns, world.sampling.looks);
}

/* A look in a burst sees more than its share and is not cut short for it: else bursts would weigh less than the calm between them. */
static void bursts_weigh_what_they_are(void)
{
	static struct world world;
	double told;

	start(&world, 150000);
	world.burst_ms = 3;
	world.every_ms = 7;
	world.late_ms = 4;
	told = told_of_a_minute(&world);
	CHECK(told > 0.9 && told < 1.1, "%.2f of the truth", told);
}

/* Bursts longer than a look: it sees all or nothing, and so uncertain is what it tells. */
static void how_much_looks_differ_is_told(void)
{
	static struct world world;
	struct sampled sampled;
	double variance = 0;
	int second;

	start(&world, 150000);
	world.burst_ms = 30;
	world.every_ms = 90;
	run(&world, 5000);
	for (second = 0; second < 100; second++) {
		run(&world, 1000);
		sampled = sampling_take(&world.sampling, &world.gate, world.now_ns);
		variance += sampled.look_variance / 100;
	}
	/* Of a rate that is three times the mean in a third of the time: 3 - 1. */
	CHECK(variance > 1.2 && variance < 2.4, "%.2f", variance);
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
	sampling.look_for_ns = 10 * MS;
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

/* Whoever asks, or looks after it, only after its time is up finds it as long as it was meant to be. */
static void a_look_ends_when_its_time_is_up(void)
{
	static struct sampling sampling;
	struct gate_view gate = { .open = true };
	struct sampled sampled;

	sampling_start(&sampling, 0, 0, 1);
	sampling_take(&sampling, &gate, 100 * MS);
	sampling.look_for_ns = 2 * MS;
	sampling_opened(&sampling, 0, 100 * MS);
	sampled = sampling_take(&sampling, &gate, 107 * MS);
	CHECK(sampled.observed_ns == 2 * MS, "%llu ns", (unsigned long long)sampled.observed_ns);
	CHECK(sampling_step(&sampling, &gate, LIMIT, 109 * MS) == SAMPLING_CLOSE, "the look is over");
	CHECK(sampling.look_ns == 2 * MS, "%llu ns for the rate", (unsigned long long)sampling.look_ns);
	sampled = sampling_take(&sampling, &gate, 110 * MS);
	CHECK(sampled.observed_ns == 0, "%llu ns", (unsigned long long)sampled.observed_ns);
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
	CHECK(sampled.unfinished > 0 && sampled.unfinished_ns >= sampled.unfinished * SAMPLING_DRAIN_NS, "followed");
	CHECK(world.longest_look_ns <= world.sampling.look_for_ns + SAMPLING_SETTLE_NS + SAMPLING_LONGEST_DRAIN_NS + 4 * MS, "%llu ns in place",
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
	what_was_seen_before_a_storm_is_told_apart();
	a_storm_is_sampled_within_its_limit();
	a_moderate_storm_is_estimated_well();
	a_loader_that_comes_late_changes_nothing();
	bursts_weigh_what_they_are();
	how_much_looks_differ_is_told();
	a_slight_storm_is_seen_for_much_of_the_time();
	a_look_is_split_where_it_is_asked_for();
	a_look_that_has_closed_is_split_there();
	a_look_ends_when_its_time_is_up();
	after_a_storm_all_are_seen_again();
	it_does_not_swing();
	what_does_not_end_is_not_waited_for();
	a_failed_look_is_tried_again();
	return checks_report("sampling");
}
