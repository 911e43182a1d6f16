/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Typed access to members of a JSON object; each reader says in `problem` what it expected. */
#ifndef ROBOTGC_JSON_FIELDS_H
#define ROBOTGC_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problem {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) bool problem_set(const struct problem *problem,
							const char *format, ...);

/* An integer in min..max. */
bool field_integer(const json_t *object, const char *name, int64_t min, int64_t max, int64_t *value,
		   const struct problem *problem);

/* A non-empty string without NUL, copied with its terminator into size bytes. */
bool field_string(const json_t *object, const char *name, char *value, size_t size,
		  const struct problem *problem);

/* Lower-case or upper-case hex of 1 to size bytes. */
bool field_hex(const json_t *object, const char *name, uint8_t *bytes, size_t size, size_t *n_bytes,
	       const struct problem *problem);

#endif
