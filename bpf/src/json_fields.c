// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "json_fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool problem_set(const struct problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->text, problem->size, format, args);
	va_end(args);
	return false;
}

bool field_integer(const json_t *object, const char *name, int64_t min, int64_t max, int64_t *value,
		   const struct problem *problem)
{
	const json_t *field = json_object_get(object, name);
	int64_t number = json_integer_value(field);

	if (!json_is_integer(field) || number < min || number > max)
		return problem_set(problem, "\"%s\" must be an integer in %" PRId64 "..%" PRId64, name,
				   min, max);
	*value = number;
	return true;
}

bool field_string(const json_t *object, const char *name, char *value, size_t size,
		  const struct problem *problem)
{
	const json_t *field = json_object_get(object, name);
	size_t length = json_string_length(field);

	if (!json_is_string(field) || length == 0 || length >= size)
		return problem_set(problem, "\"%s\" must be a string of 1 to %zu bytes", name, size - 1);
	/* jansson refuses \u0000 by default, so the C string is the whole string. */
	memcpy(value, json_string_value(field), length + 1);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool field_hex(const json_t *object, const char *name, uint8_t *bytes, size_t size, size_t *n_bytes,
	       const struct problem *problem)
{
	const json_t *field = json_object_get(object, name);
	const char *text = json_string_value(field);
	size_t length = json_string_length(field);
	size_t i;

	if (!text || length == 0 || length % 2 || length / 2 > size)
		return problem_set(problem, "\"%s\" must be the hex digits of 1 to %zu bytes", name, size);
	for (i = 0; i < length / 2; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return problem_set(problem, "\"%s\" has something other than hex digits", name);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*n_bytes = length / 2;
	return true;
}
