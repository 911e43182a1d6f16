/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* As much of a test framework as these tests need: a failed check is printed, and the program ends non-zero. */
#ifndef ROBOTGC_CHECK_H
#define ROBOTGC_CHECK_H

#include <stdio.h>
#include <string.h>

static int checks_failed, checks_done;

#define CHECK(condition, ...) do {                                                    \
	checks_done++;                                                                \
	if (!(condition)) {                                                           \
		checks_failed++;                                                      \
		fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);       \
		fprintf(stderr, __VA_ARGS__);                                         \
		fputc('\n', stderr);                                                  \
	}                                                                             \
} while (0)

static inline int checks_report(const char *name)
{
	printf("%s: %d checks, %d failed\n", name, checks_done, checks_failed);
	return checks_failed != 0 || checks_done == 0;
}

#endif
