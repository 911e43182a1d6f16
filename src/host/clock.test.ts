import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { monotonicNs } from './clock.ts';

it('the monotonic clock is the kernel uptime clock, in ns', () => {
  const uptimeNs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9;
  // Uptime counts time asleep, this clock does not; it has 10 ms steps.
  expect(monotonicNs()).toBeGreaterThan(0);
  expect(monotonicNs() - uptimeNs).toBeLessThan(1e9);
});
