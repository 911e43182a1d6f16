/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * When to look at assist stalls. Each costs the program a few µs, so all of them are seen only while they
 * are few. In a storm the points are in place for short looks at random moments, and what was seen is
 * told with how long was looked. Pure: clock and counters in, what to do out.
 */
#ifndef ROBOTGC_SAMPLING_H
#define ROBOTGC_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

/* One look in each such stretch of time, at a random moment of it. */
#define SAMPLING_STRETCH_NS 250000000ULL
/*
 * A look is as long as the rate promises to see most of what may be seen, and no shorter or longer than this: the
 * length is settled before, because a look that ended only once it had seen enough would end early in
 * bursts and last in calm, and make the rate seem lower than it is. It does end when its room is used up, which is
 * several times as much, because a storm comes in bursts.
 */
#define SAMPLING_SHORTEST_LOOK_NS 1000000ULL
#define SAMPLING_LONGEST_LOOK_NS 150000000ULL
#define SAMPLING_ROOM_FOR_BURSTS 4
/*
 * The points are put in place so long before a look begins: writing into its code holds the program up, and what it missed
 * meanwhile it does at once. When the look begins was settled long before, or it would begin when the loader gets a
 * processor, which in a storm is when the storm leaves one.
 */
#define SAMPLING_SETTLE_NS 3000000ULL
/*
 * Stalls that began in a look are followed to their end for so long, and longer while what passes the points meanwhile, which costs
 * less than a stall that is seen, is no more than so many times what may be seen: the longest stalls are those that matter.
 */
#define SAMPLING_DRAIN_NS 50000000ULL
#define SAMPLING_LONGEST_DRAIN_NS 200000000ULL
#define SAMPLING_ROOM_FOR_DRAINING 8
/* Over which the rate is judged while all are seen. */
#define SAMPLING_RATE_NS 100000000ULL
/* So many looks must agree that the storm is over. */
#define SAMPLING_CALM_LOOKS 8
/* By how many of the latest looks it is judged how much looks differ. */
#define SAMPLING_COMPARED_LOOKS 16

enum sampling_mode {
	SAMPLING_ALL,
	SAMPLING_RESTING,
	SAMPLING_LOOKING,
	SAMPLING_DRAINING,
};

struct sampling {
	enum sampling_mode mode;
	uint64_t since_ns; /* this mode; ALL: since the rate was last judged */
	uint64_t rest_until_ns;
	uint64_t stretch_end_ns;
	uint64_t look_for_ns; /* the length of the next look or the present one */
	uint64_t look_until_ns; /* when the present one ends */
	uint64_t entered_before; /* the gate's count at since_ns */
	uint64_t taken_ns; /* the last taking */
	uint64_t observing_since_ns; /* ALL, LOOKING: the part not yet taken began then */
	uint64_t observed_ns;    /* not yet taken, before that */
	uint64_t throughout_ns;  /* of that, while every stall was seen */
	uint64_t unfinished;     /* not yet taken: began in a look, end not seen */
	uint64_t unfinished_ns;  /* for which those were followed */
	uint64_t look_entered, look_ns; /* of the looks that judge whether the storm is over */
	uint32_t looks;
	uint64_t rate; /* stalls a second, as last judged */
	uint32_t compared; /* looks of this storm, SAMPLING_COMPARED_LOOKS at most, */
	double mean_rate, mean_square; /* and what they saw a second on average */
	uint64_t random;
};

/* The gate as the program has left it. */
struct gate_view {
	bool open;
	uint64_t entered, left;
	uint64_t closed_ns; /* when its room was used up; 0: it was not */
};

enum sampling_action {
	SAMPLING_STAY,
	SAMPLING_OPEN_FOR_ALL, /* points are in place: open without limit */
	SAMPLING_ATTACH_AND_OPEN, /* for `sampling_room` stalls and `look_for_ns` from sampling_look_begins(); then tell sampling_opened() */
	SAMPLING_CLOSE,
	SAMPLING_DETACH,
};

void sampling_start(struct sampling *sampling, uint64_t now_ns, uint64_t entered, uint64_t seed);

/* `limit` is how many stalls a second may be seen one by one. */
enum sampling_action sampling_step(struct sampling *sampling, const struct gate_view *gate, uint64_t limit,
				   uint64_t now_ns);

/* When the look begins whose points are in place now. */
uint64_t sampling_look_begins(const struct sampling *sampling, uint64_t now_ns);
/* The gate was opened for a look that begins at `begin_ns`, when the gate's count is `entered`. */
void sampling_opened(struct sampling *sampling, uint64_t entered, uint64_t begin_ns);
/* The points could not be put in place: another try in the next stretch. */
void sampling_failed(struct sampling *sampling, uint64_t limit, uint64_t now_ns);

/* How many stalls may begin in one look at most. */
uint64_t sampling_room(uint64_t limit);

struct sampled {
	uint64_t observed_ns;
	uint64_t throughout_ns; /* of that, while every stall was seen: these are counted apart, and stand for themselves */
	uint64_t span_ns; /* of which that was observed */
	uint64_t unfinished; /* stalls that began in a look, and whose end was not seen */
	uint64_t unfinished_ns; /* how long they were at least, together */
	double look_variance; /* of what looks see a second, relative to the square of the mean; 0: too few looks to tell */
};

/* Whether less than the whole time was observed. */
bool sampled_in_part(const struct sampled *sampled);

/* What was observed since the last taking; a look under way is split there. */
struct sampled sampling_take(struct sampling *sampling, const struct gate_view *gate, uint64_t now_ns);

#endif
