/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* From the program's ring-buffer records to events. */
#ifndef ROBOTGC_RECORDS_H
#define ROBOTGC_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* Now on CLOCK_MONOTONIC. */
uint64_t now_ns(void);

/* Callback of ring_buffer__new; `probe` is a struct probe. Not 0: the reader has to catch up first. */
int records_emit(void *probe, void *record, size_t size);

#endif
