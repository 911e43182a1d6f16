import { expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import { decodeProfile } from './decode.ts';
import { ProfileError } from './model.ts';
import { cpuTypes, encodeProfile } from './test-support.ts';

it('the profile decoder answers in time with a profile or a ProfileError', async () => {
  const rows = Array.from({ length: 50 }, (_, index) => ({
    stack: [`f${index}`, `f${index % 7}`, 'main.main'],
    values: [index, index * 1000],
  }));
  const corpus = [rows, rows.slice(0, 2)].map((some) => Uint8Array.from(encodeProfile(cpuTypes, some)));
  const report = await fuzz({
    name: 'pprof profile',
    make: (random) => mutate(random, { corpus }),
    take: (bytes) => {
      try {
        decodeProfile(bytes);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
      }
    },
  });
  expect(report.inputs).toBeGreaterThan(0);
});
