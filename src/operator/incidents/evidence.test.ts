import { describe, expect, it } from 'vitest';
import { readHeapHistory } from './evidence.ts';

const point = {
  endedAt: '2026-01-01T00:05:00.000Z',
  heapLiveBytes: 1000,
  rootsBytes: 10,
  allocBytesPerSecond: 5,
  activeRobots: null,
};

describe('the heap’s history in a bundle', () => {
  it('is read line by line, and what is damaged is left out', () => {
    const lines = [JSON.stringify(point), '{', JSON.stringify({ ...point, heapLiveBytes: -1 }), ''];
    expect(readHeapHistory(new TextEncoder().encode(lines.join('\n')))).toEqual([point]);
  });

  it('is empty in one of an agent that kept none', () => {
    expect(readHeapHistory(undefined)).toEqual([]);
  });
});
