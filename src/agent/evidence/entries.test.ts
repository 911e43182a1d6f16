import { describe, expect, test } from 'vitest';
import { syntheticWindow } from '../../model/testing.ts';
import { pauseEvent } from '../testing/events.ts';
import { bundleEntries } from './entries.ts';
import { Recorder } from './recorder.ts';

const report = { startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:10.000Z', failures: [] };

function fileOf(recorder: Recorder, path: string): unknown[] {
  const entries = bundleEntries({ recorder, inspection: null, processes: [], profiles: [], report });
  const content = entries.find((entry) => entry.path === path)?.content;
  if (!(content instanceof Uint8Array)) throw new Error(`the bundle has no ${path} in memory`);
  const lines = Buffer.from(content).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

describe('a bundle', () => {
  test('holds the latest long assists one by one, as many as there is room for', () => {
    const recorder = new Recorder();
    const assist = (index: number) =>
      ({ type: 'assist', pid: 1, g: 824634000000 + 512 * (index % 7), startNs: index * 1e6, durationNs: 2e6 }) as const;
    for (let index = 0; index < 5000; index++) recorder.assist(assist(index));
    const assists = fileOf(recorder, 'snapshots/assists.ndjson');
    expect(assists).toHaveLength(2048);
    expect(assists.at(-1)).toEqual(assist(4999));
  });

  test('holds the latest slow waits with whom they were for; reads of a capture drive out nothing else', () => {
    const recorder = new Recorder();
    const wait = (on: 'connect' | 'openssl' | 'read' | 'mmap', startNs: number, durationNs: number, failed = false) =>
      ({ type: 'wait', on, pid: 1, tid: 2, startNs, durationNs, marking: null, failed }) as const;
    recorder.wait({ ...wait('connect', 1, 3e9, true), peer: '192.0.2.1:443' });
    recorder.wait(wait('openssl', 2, 6e8));
    recorder.wait(wait('mmap', 3, 2e6));
    recorder.wait(wait('mmap', 4, 1e3, true));
    for (let index = 0; index < 5000; index++) recorder.wait(wait('read', 100 + index, 5e7));
    const waits = fileOf(recorder, 'snapshots/waits.ndjson');
    expect(waits.slice(0, 3)).toMatchObject([
      { on: 'connect', failed: true, peer: '192.0.2.1:443' },
      { on: 'openssl', peer: null },
      { on: 'mmap', startNs: 4 },
    ]);
    expect(waits).toHaveLength(3 + 1024);
    expect(waits.at(-1)).toMatchObject({ on: 'read', startNs: 5099 });
  });

  test('holds the live heap over hours, which ten minutes of windows do not show', () => {
    const recorder = new Recorder();
    for (let second = 0; second < 1500; second += 10)
      recorder.window(syntheticWindow(second, { gc: { heapLiveBytes: 1000 + second } }));
    const points = fileOf(recorder, 'heap-history.ndjson');
    expect(points).toMatchObject([0, 300, 600, 900].map((second) => ({ heapLiveBytes: 1000 + second })));
  });

  test('says when memory pressure began to break a limit, and what told it', () => {
    const recorder = new Recorder();
    const onset = {
      signal: 'memoryPressureSome',
      share: 0.25,
      limit: 0.1,
      windowNs: 1e9,
      atNs: 5e9,
      toldBy: 'trigger',
      detectedAt: '2026-01-01T00:00:05.000Z',
    } as const;
    recorder.pressure(onset);
    expect(fileOf(recorder, 'snapshots/pressure.ndjson')).toEqual([onset]);
  });

  test('says of each pause whether it was the collector’s, the capture’s or another’s', () => {
    const recorder = new Recorder();
    recorder.pause({ ...pauseEvent({ reason: 7 }), chargedTo: 'capture' });
    expect(fileOf(recorder, 'snapshots/pauses.ndjson')).toMatchObject([{ reason: 7, chargedTo: 'capture' }]);
  });
});
