/** Recordings of a real program as one small file: NDJSON, gzipped; times and totals as differences. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { AllocationSeries } from '../series.ts';

const wire = z.object({
  kind: z.enum(['message', 'stateMachine', 'timer', 'mixed']),
  /** The robot's flags. */
  name: z.string(),
  gogc: z.int(),
  periodMs: z.number().nullable(),
  goVersion: z.string(),
  pace: z.object({ durationMs: z.number(), everyMs: z.number() }),
  gapsUs: z.array(z.number()),
  bytes: z.array(z.number()),
  /** [size, objects] of each size class in use. */
  classes: z.array(z.tuple([z.number(), z.number()])).nullable(),
  large: z.tuple([z.number(), z.number()]),
});

export type Recording = Pick<z.infer<typeof wire>, 'kind' | 'name' | 'gogc' | 'periodMs' | 'goVersion' | 'pace'> & {
  readonly series: AllocationSeries;
};

export function packRecordings(recordings: readonly Recording[]): Uint8Array {
  const lines = recordings.map(({ series: { samples, allocated }, ...about }) => {
    const gaps = samples.slice(1).map((sample, index) => ({ before: samples[index] ?? sample, sample }));
    const packed: z.infer<typeof wire> = {
      ...about,
      gapsUs: gaps.map(({ before, sample }) => Math.round((sample.atNs - before.atNs) / 1e3)),
      bytes: gaps.map(({ before, sample }) => sample.totalAllocBytes - before.totalAllocBytes),
      classes:
        allocated?.classes.flatMap(({ sizeBytes, objects }): [number, number][] =>
          objects > 0 ? [[sizeBytes, objects]] : [],
        ) ?? null,
      large: [allocated?.largeBytes ?? 0, allocated?.largeObjects ?? 0],
    };
    return JSON.stringify(packed);
  });
  return gzipSync(`${lines.join('\n')}\n`, { level: 9 });
}

export function unpackRecordings(file: Uint8Array): Recording[] {
  return gunzipSync(file)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { gapsUs, bytes, classes, large, ...about } = wire.parse(JSON.parse(line));
      let [atNs, totalAllocBytes] = [0, 0];
      const samples = [{ atNs, totalAllocBytes }];
      gapsUs.forEach((gapUs, index) => {
        atNs += gapUs * 1e3;
        totalAllocBytes += bytes[index] ?? 0;
        samples.push({ atNs, totalAllocBytes });
      });
      const allocated =
        classes === null
          ? null
          : {
              classes: classes.map(([sizeBytes, objects]) => ({ sizeBytes, objects })),
              largeBytes: large[0],
              largeObjects: large[1],
            };
      return { ...about, series: { samples, allocated } };
    });
}
