import { describe, expect, it } from 'vitest';
import { brokenPod, lastProgressMs } from './broken-pods.ts';
import { podOf } from './testing.ts';

const status = (fields: object) => [{ name: 'robot', ...fields }];

describe('a new pod is broken', () => {
  it.each([
    [
      'it crashes over and over',
      { state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 2 },
      'CrashLoopBackOff',
    ],
    ['its settings cannot be had', { state: { waiting: { reason: 'CreateContainerConfigError' } } }, 'ConfigError'],
    [
      'it was killed for lack of memory',
      { lastState: { terminated: { reason: 'OOMKilled' } }, restartCount: 1 },
      'lack of memory',
    ],
    ['it restarts and never becomes ready', { state: { running: {} }, restartCount: 3 }, '3 times'],
  ])('when %s', (_, fields, says) => {
    const broken = brokenPod([podOf('fine'), podOf('new', { ready: false, containerStatuses: status(fields) })]);
    expect(broken?.pod.metadata.name).toBe('new');
    expect(broken?.sentence).toContain(says);
  });

  it.each([
    ['it only starts', false, { state: { waiting: { reason: 'ContainerCreating' } } }],
    ['its image is still awaited', false, { state: { waiting: { reason: 'ImagePullBackOff' } } }],
    ['it restarted and is ready again', true, { state: { running: {} }, restartCount: 5 }],
  ])('but not when %s', (_, ready, fields) => {
    expect(brokenPod([podOf('new', { ready, containerStatuses: status(fields) })])).toBeUndefined();
  });
});

it('a rollout has made progress when a new pod was made or became ready', () => {
  const made = (name: string, at: string) => podOf(name, { metadata: { creationTimestamp: at } });
  expect(lastProgressMs([made('a', '2026-01-01T00:00:05Z'), made('b', '2026-01-01T00:00:03Z')])).toBe(
    Date.parse('2026-01-01T00:00:05Z'),
  );
  expect(lastProgressMs([])).toBe(0);
});
