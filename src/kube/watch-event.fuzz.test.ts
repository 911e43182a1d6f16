import { expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import { pods } from './kinds/index.ts';
import { parseWatchLine, readObject } from './watch-event.ts';

const object = {
  metadata: { name: 'robot-0', namespace: 'robots', uid: '0f9c2b6e', resourceVersion: '42', labels: { app: 'robot' } },
  spec: {
    nodeName: 'local',
    containers: [{ name: 'robot', image: 'robot:1', resources: { limits: { memory: '192Mi' } } }],
  },
  status: {
    phase: 'Running',
    podIP: '10.0.0.7',
    containerStatuses: [{ name: 'robot', containerID: 'containerd://abc', ready: true }],
  },
};
const lines = [
  ...['ADDED', 'MODIFIED', 'DELETED'].map((type) => ({ type, object })),
  { type: 'BOOKMARK', object: { metadata: { resourceVersion: '43' } } },
  { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } },
];
const tokens = ['{', '}', '[', ']', ':', ',', '"', 'null', 'true', '\\u0000', '\\ud800', '"metadata"', '{"__proto__":'];

it('any line of a watch is an event or garbage, any object is read or said why not', async () => {
  const report = await fuzz({
    name: 'watch lines',
    make: (random) => mutate(random, { corpus: lines.map((line) => Buffer.from(JSON.stringify(line))), tokens }),
    take: (bytes) => {
      const event = parseWatchLine('watch pods', Buffer.from(bytes).toString('utf8'));
      if (event.type !== 'upsert' && event.type !== 'delete') return;
      const read = readObject(pods, event.raw);
      if (!read.ok && read.reason === '') throw new Error('no reason');
    },
  });
  expect(report.inputs).toBeGreaterThan(0);
});
