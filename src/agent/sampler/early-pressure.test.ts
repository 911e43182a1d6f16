import { expect, test } from 'vitest';
import type { CgroupReader, OnPressure } from '../../host/index.ts';
import type { PressureOnset } from '../../model/pressure-onset.ts';
import { EarlyPressure } from './early-pressure.ts';
import type { Target } from './types.ts';

const limits = { memoryPressureSome: 0.1, memoryPressureFull: 0.01 };
const target = (key: string, over: Partial<Target> = {}): Target => ({
  key,
  pod: { namespace: 'robots', name: key, uid: key },
  container: 'robot',
  containerId: key,
  activity: null,
  pressureLimits: limits,
  ...over,
});
const { pressureLimits: _, ...unlimited } = target('one');
const cgroup = (pressureDirectory: string | null): CgroupReader => ({
  version: 'v2',
  pressureDirectory,
  read: () => undefined,
  close: () => {},
  [Symbol.dispose]: () => {},
});
const onset: PressureOnset = {
  signal: 'memoryPressureFull',
  share: 0.2,
  limit: 0.01,
  windowNs: 1e9,
  atNs: 5,
  toldBy: 'reading',
};

/** Records what would be watched, and can tell of pressure. */
function recorded() {
  const watched = new Map<string, { directory: string; limits: object }>();
  const told: string[] = [];
  let tell: OnPressure = () => {};
  const early = new EarlyPressure({
    start: (onPressure) => {
      tell = onPressure;
      return {
        watch: (key, subject) => watched.set(key, subject),
        forget: (key) => watched.delete(key),
        close: () => watched.clear(),
        [Symbol.dispose]: () => watched.clear(),
      };
    },
    tell: ({ pod }, { signal }) => told.push(`${pod.name} ${signal}`),
    readTotals: () => null,
  });
  return { early, watched, told, tell: (key: string) => tell(key, onset) };
}

test('watches a target with limits while its cgroup is read, and tells of it by the target', () => {
  const { early, watched, told, tell } = recorded();
  early.follow(target('one'), cgroup('/sys/fs/cgroup/one'), null);
  expect(watched.get('one')).toEqual({ directory: '/sys/fs/cgroup/one', limits });
  tell('one');
  expect(told).toEqual(['one memoryPressureFull']);
  early.follow(target('one'), null, null);
  expect(watched.size).toBe(0);
  tell('one');
  expect(told).toHaveLength(1);
});

test.each([
  ['without limits', unlimited, cgroup('/x')],
  ['without PSI', target('one'), cgroup(null)],
  ['unobserved', target('one'), null],
])('a target %s is not watched', (_, subject, reader) => {
  const { early, watched } = recorded();
  early.follow(subject, reader, null);
  expect(watched.size).toBe(0);
});

test('new limits reach the watch; what is forgotten or closed tells no more', () => {
  const { early, watched, told, tell } = recorded();
  early.follow(target('one'), cgroup('/x'), null);
  early.follow(target('one', { pressureLimits: { ...limits, memoryPressureSome: 0.5 } }), cgroup('/x'), null);
  expect(watched.get('one')?.limits).toMatchObject({ memoryPressureSome: 0.5 });
  early.follow(target('two'), cgroup('/y'), null);
  early.forget('one');
  expect([...watched.keys()]).toEqual(['two']);
  early.close();
  tell('two');
  expect(told).toEqual([]);
});
