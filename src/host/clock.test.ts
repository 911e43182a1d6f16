import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clockJoin, monotonicNs, wallMs } from './clock.ts';

describe('clocks', () => {
  it('the monotonic one is the kernel uptime clock, in ns', () => {
    const uptimeNs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9;
    // Uptime counts time asleep, this clock does not; it has 10 ms steps.
    expect(monotonicNs()).toBeGreaterThan(0);
    expect(monotonicNs() - uptimeNs).toBeLessThan(1e9);
  });

  it('a join gives wall time for monotonic instants', () => {
    const join = clockJoin();
    expect(join.uncertaintyNs).toBeLessThanOrEqual(3e6);
    const at = monotonicNs();
    const now = Date.now();
    expect(Math.abs(wallMs(join, at) - now)).toBeLessThan(20);
    expect(wallMs(join, join.monotonicNs + 1.5e9)).toBeCloseTo(join.wallMs + 1500, 3);
  });
});
