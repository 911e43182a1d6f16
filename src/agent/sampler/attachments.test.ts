import { expect, test } from 'vitest';
import type { Executable } from '../../host/index.ts';
import { ProbeError } from '../../host/probe/index.ts';
import { Attachments } from './attachments.ts';
import { recordingProbe } from './testing/recording-probe.ts';

const executable: Executable = {
  path: '/proc/1/exe',
  link: '/robot',
  device: 1,
  inode: 2,
  sizeBytes: 3,
  modifiedMs: 4,
};
const point = { point: 'pollParkBegin', offset: 1, bytes: '90', address: 1, symbol: 'runtime.netpollblock' } as const;
const plan = { optional: [{ kind: 'ok', group: 'pollPark', points: [point] }] } as const;

test('reads of one program that two captures ask for are attached once: none begins before that is done, the last takes it out', async () => {
  const probe = recordingProbe();
  const attachments = new Attachments(probe);
  const order = Promise.withResolvers<void>();
  probe.onAttach = () => order.promise;
  const begun: string[] = [];
  const note = <T>(who: string, end: T): T => {
    begun.push(who);
    return end;
  };
  const first = attachments.watchReads(executable, plan).then((end) => note('first', end));
  const second = attachments.watchReads(executable, plan).then((end) => note('second', end));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([]);
  order.resolve();
  const [endFirst, endSecond] = await Promise.all([first, second]);
  expect(probe.attached.size).toBe(1);
  await endFirst();
  expect(probe.attached.size).toBe(1);
  await endSecond();
  expect(probe.attached.size).toBe(0);
});

test('where that is refused, both are told, and the next capture tries again', async () => {
  const probe = recordingProbe();
  const attachments = new Attachments(probe);
  probe.onAttach = async () => {
    throw new ProbeError('TOO_MANY_ATTACHMENTS', 'full');
  };
  const both = await Promise.allSettled([1, 2].map(() => attachments.watchReads(executable, plan)));
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  probe.onAttach = async () => {};
  const end = await attachments.watchReads(executable, plan);
  expect(probe.attached.size).toBe(1);
  await end();
  expect(probe.attached.size).toBe(0);
});
