import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiRig } from '../../test/support/api-rig.ts';
import { until } from '../../test/support/until.ts';
import { get } from './client.ts';
import { LeaderElector } from './elector.ts';
import { leases } from './lease.ts';
import { silentLog } from './log.ts';

const times = { leaseDurationMs: 4_000, renewDeadlineMs: 3_000, retryPeriodMs: 500 };
const programPath = fileURLToPath(new URL('../../test/support/elector-child.ts', import.meta.url));

let api: ApiRig;
const children: ChildProcess[] = [];
beforeAll(async () => {
  api = await ApiRig.start();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await api?.stop();
});

/** An elector in a process of its own, and whether it leads by its own word. */
function child(
  lease: string,
  identity: string,
): { process: ChildProcess; leads: () => boolean; follows: () => boolean } {
  const process_ = spawn(process.execPath, [programPath, api.plane.kubeconfigPath, lease, identity], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(process_);
  let said = '';
  process_.stdout.on('data', (chunk) => {
    said += chunk;
  });
  return { process: process_, leads: () => said.trimEnd().endsWith('leads'), follows: () => said.includes('sees ') };
}

const holder = async (name: string): Promise<string> =>
  (await get(api.direct, leases, { namespace: 'default', name })).spec.holderIdentity;

describe('on a real Lease', () => {
  test('a killed leader is replaced after its lease, and not before (L5)', async () => {
    const a = child('killed', 'a');
    await until('a leads', a.leads, 20_000);
    const b = child('killed', 'b');
    await until('b follows', b.follows, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(b.leads()).toBe(false);
    a.process.kill('SIGKILL');
    const killedMs = performance.now();
    await until('b leads', b.leads, 20_000);
    const tookMs = performance.now() - killedMs;
    console.log(`a killed leader was replaced after ${(tookMs / 1000).toFixed(1)} s; its lease was 4 s`);
    expect(tookMs).toBeGreaterThan(times.leaseDurationMs - times.retryPeriodMs * 1.2 - 200);
    expect(tookMs).toBeLessThan(times.leaseDurationMs + 2 * times.retryPeriodMs * 1.2 + 1_500);
    expect(await holder('killed')).toBe('b');
  });

  test('a leader that is told to stop hands over at once (L4), with times that the server accepts (L6)', async () => {
    const a = child('handed-over', 'a');
    await until('a leads', a.leads, 20_000);
    const b = child('handed-over', 'b');
    await until('b follows', b.follows, 20_000);
    const lease = () => get(api.direct, leases, { namespace: 'default', name: 'handed-over' });
    const isRenewed = async () => {
      const { acquireTime, renewTime } = (await lease()).spec;
      return Date.parse(renewTime) > Date.parse(acquireTime);
    };
    await until('a has renewed', isRenewed, 10_000);
    const { spec } = await lease();
    expect(spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 4, leaseTransitions: 0 });
    for (const time of [spec.acquireTime, spec.renewTime]) expect(time).toMatch(/\.\d{6}Z$/);
    a.process.kill('SIGTERM');
    const [code] = await once(a.process, 'exit');
    expect(code).toBe(0);
    const stoppedMs = performance.now();
    await until('b leads', b.leads, 10_000);
    expect(performance.now() - stoppedMs).toBeLessThan(times.retryPeriodMs * 1.2 + 1_000);
    expect((await lease()).spec.leaseTransitions).toBe(1);
  });

  test('a leader whose network goes silent stops before another begins (L1, L3)', async () => {
    const [mine, other] = [await api.proxied(), await api.proxied()];
    const stop = new AbortController();
    const story: string[] = [];
    const run = (transport: typeof mine.transport, identity: string): Promise<void> =>
      new LeaderElector({ transport, namespace: 'default', name: 'silent', identity, log: silentLog, ...times }).run({
        signal: stop.signal,
        async lead(signal) {
          story.push(`${identity} begins`);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
          story.push(`${identity} ends`);
        },
      });
    const first = run(mine.transport, 'a');
    await until('a leads', () => story.length === 1);
    const second = run(other.transport, 'b');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    mine.proxy.set({ kind: 'silent' });
    await until('b leads', () => story.includes('b begins'), 15_000);
    expect(story).toEqual(['a begins', 'a ends', 'b begins']);
    stop.abort();
    mine.proxy.set({ kind: 'pass' });
    mine.proxy.cut();
    await Promise.all([first, second]);
  });
});
