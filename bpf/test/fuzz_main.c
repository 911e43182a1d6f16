// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Drives a libFuzzer entry point without libFuzzer: mutations of a corpus of well-formed lines, for a
 * number of seconds and at least a number of inputs, from a seed that is printed so that a failure can be
 * run again.
 *
 *   fuzz_input SECONDS CORPUS [SEED [INPUTS]]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_INPUT_BYTES (256 * 1024)
#define MAX_SEEDS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *corpus[MAX_SEEDS];
static size_t n_corpus;
static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static size_t below(size_t limit)
{
	return limit ? next() % limit : 0;
}

static void read_corpus(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t capacity = 0;

	if (!file) {
		perror(path);
		exit(2);
	}
	while (n_corpus < MAX_SEEDS && getline(&corpus[n_corpus], &capacity, file) > 0) {
		n_corpus++;
		capacity = 0;
	}
	free(corpus[n_corpus]);
	fclose(file);
}

static const char *const tokens[] = {
	"\"", "{", "}", "[", "]", ",", ":", "\n", "\\u0000", "\\ud800", "null", "true", "-1", "0", "1e999", "0.5",
	"9223372036854775807", "9223372036854775808", "18446744073709551616", "\"cmd\"", "\"seq\"", "\"points\"",
	"\"layout\"", "\xff", "\xc3", "",
};

static size_t insert(uint8_t *data, size_t size, size_t at, const void *bytes, size_t count)
{
	if (size + count > MAX_INPUT_BYTES)
		return size;
	memmove(data + at + count, data + at, size - at);
	memcpy(data + at, bytes, count);
	return size + count;
}

static size_t mutate(uint8_t *data, size_t size)
{
	size_t at = below(size + 1), count = below(16);
	const char *text;

	switch (below(7)) {
	case 0:
		if (size)
			data[below(size)] ^= (uint8_t)(1u << below(8));
		return size;
	case 1:
		if (at + count > size)
			return size;
		memmove(data + at, data + at + count, size - at - count);
		return size - count;
	case 2:
		text = tokens[below(sizeof(tokens) / sizeof(*tokens))];
		return insert(data, size, at, text, strlen(text));
	case 3:
		text = corpus[below(n_corpus)];
		return insert(data, size, at, text, strlen(text));
	case 4: { /* now and then something long, to reach the limits */
		size_t length = below(64) ? below(200) : below(2 * 65536);
		uint8_t byte = (uint8_t)next();

		if (size + length > MAX_INPUT_BYTES)
			return size;
		memmove(data + at + length, data + at, size - at);
		memset(data + at, below(2) ? '[' : byte, length);
		return size + length;
	}
	case 5:
		return at; /* cut off */
	default:
		if (size)
			data[below(size)] = (uint8_t)next();
		return size;
	}
}

int main(int argc, char **argv)
{
	static uint8_t data[MAX_INPUT_BYTES];
	time_t end;
	uint64_t runs = 0, wanted;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SECONDS CORPUS [SEED [INPUTS]]\n", argv[0]);
		return 2;
	}
	read_corpus(argv[2]);
	state = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL);
	wanted = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	printf("fuzz: seed %llu, %zu lines of corpus\n", (unsigned long long)state, n_corpus);
	fflush(stdout);
	end = time(NULL) + atol(argv[1]);
	do {
		const char *seed = corpus[below(n_corpus)];
		size_t size = strlen(seed), rounds = 1 + below(12);

		memcpy(data, seed, size);
		while (rounds--)
			size = mutate(data, size);
		LLVMFuzzerTestOneInput(data, size);
		runs++;
	} while (time(NULL) < end || runs < wanted);
	printf("fuzz: %llu inputs, none did harm\n", (unsigned long long)runs);
	while (n_corpus)
		free(corpus[--n_corpus]);
	return 0;
}
