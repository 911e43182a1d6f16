import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { collectProcessMetrics } from './process-metrics.ts';

test('the process is told of as it is when asked', async () => {
  const registry = new Registry();
  collectProcessMetrics(registry, 'x_');
  const value = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await registry.metrics())?.[1]);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = await value('x_process_cpu_seconds_total');
  expect(cpuSeconds).toBeGreaterThanOrEqual((user + system) / 1e6);
  expect(cpuSeconds).toBeLessThan((user + system) / 1e6 + 1);
  expect(await value('x_process_resident_memory_bytes')).toBeGreaterThan(20e6);
  expect(await value('x_process_open_fds')).toBeGreaterThan(2);
  expect(await value('x_nodejs_heap_size_used_bytes')).toBeLessThanOrEqual(
    await value('x_nodejs_heap_size_total_bytes'),
  );
  expect(Math.abs((await value('x_process_start_time_seconds')) - (Date.now() / 1000 - process.uptime()))).toBeLessThan(
    2,
  );
});
