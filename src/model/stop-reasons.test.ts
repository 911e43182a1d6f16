import { describe, expect, it } from 'vitest';
import { stopReason } from './stop-reasons.ts';

describe('stopReason', () => {
  it.each([
    [1, 'gc'],
    [2, 'gc'],
    [3, 'program'],
    [4, 'observation'],
    [5, 'observation'],
    [6, 'observation'],
    [7, 'observation'],
    [8, 'program'],
    [9, 'program'],
    [10, 'observation'],
    [11, 'observation'],
    [0, 'unknown'],
    [255, 'unknown'],
  ])('%i is %s', (reason, cause) => {
    expect(stopReason(reason).cause).toBe(cause);
  });
});
