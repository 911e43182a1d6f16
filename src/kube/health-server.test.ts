import { Gauge, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { until } from '../../test/support/until.ts';
import { serveHealth } from './health-server.ts';

it('answers the kubelet and Prometheus, and stops when told', async () => {
  const [port = 0] = await freePorts(1);
  const registry = new Registry();
  new Gauge({ name: 'windows', help: 'h', registers: [registry] }).set(3);
  const stop = new AbortController();
  let alive = true;
  const serving = serveHealth(port, { alive: () => alive, ready: () => false, registry }, stop.signal);
  const status = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } }).then(
      (response) => response.status,
      () => 0,
    );
  await until('it listens', async () => (await status('/healthz')) === 200);
  expect(await status('/readyz')).toBe(503);
  expect(await status('/nothing')).toBe(404);
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('windows 3');
  alive = false;
  expect(await status('/healthz')).toBe(503);
  stop.abort();
  await serving;
  expect(await status('/healthz')).toBe(0);
});

it('says when the port cannot be had', async () => {
  const [port = 0] = await freePorts(1);
  const stop = new AbortController();
  const health = { alive: () => true, ready: () => true, registry: new Registry() };
  const first = serveHealth(port, health, stop.signal);
  await expect(serveHealth(port, health, stop.signal)).rejects.toThrow('EADDRINUSE');
  stop.abort();
  await first;
});
