import { describe, expect, it } from 'vitest';
import { decodeProfile } from './decode.ts';
import { ProfileError } from './model.ts';
import { cpuTypes, encodeProfile } from './test-support.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 5);

describe('profile decoder on foreign bytes', () => {
  it(`answers in time with a profile or a ProfileError (${minutes} min)`, () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({
      stack: [`f${index}`, `f${index % 7}`, 'main.main'],
      values: [index, index * 1000],
    }));
    const original = encodeProfile(cpuTypes, rows);
    const pick = (limit: number) => Math.floor(Math.random() * limit);
    const until = Date.now() + minutes * 60_000;
    let rounds = 0;
    while (Date.now() < until) {
      const given = Uint8Array.from(original).subarray(0, pick(3) === 0 ? pick(original.length) : original.length);
      for (let step = pick(8); step >= 0 && given.length > 0; step--) given[pick(given.length)] = pick(256);
      const begun = performance.now();
      try {
        decodeProfile(given);
      } catch (error) {
        expect(error).toBeInstanceOf(ProfileError);
      }
      expect(performance.now() - begun).toBeLessThan(5000);
      rounds += 1;
    }
    expect(rounds).toBeGreaterThan(1000);
  });
});
