import { describe, expect, it } from 'vitest';
import { stopReason } from './reasons.ts';

describe('stopReason', () => {
  it.each([
    [1, 'gc'],
    [2, 'gc'],
    [4, 'observation'],
    [7, 'observation'],
    [10, 'observation'],
    [9, 'program'],
    [0, 'unknown'],
    [255, 'unknown'],
  ])('%i is %s', (reason, cause) => {
    expect(stopReason(reason).cause).toBe(cause);
  });
});
