import { expect, test } from 'vitest';
import { bpftraceScript, printedCount } from './bpftrace-script.ts';

const points = [
  { point: 'stwEntry', offset: 0x574aa, bytes: '55' },
  { point: 'stwRet', offset: 0x57701, bytes: 'c3' },
  { point: 'assistSlowBegin', offset: 0x32314, bytes: 'eb' },
  { point: 'assistSlowEnd', offset: 0x324a3, bytes: 'eb' },
  { point: 'assistSlowEnd', offset: 0x32564, bytes: 'eb' },
  { point: 'cycleEnd', offset: 0x3790a, bytes: '55' },
  { point: 'heapGrow', offset: 0x3fd0f, bytes: '55' },
] as const;

test('bpftrace attaches at the very instructions where the product does, and never by uretprobe', () => {
  const script = bpftraceScript(7, '/x/robot', [...points]);
  const places = [...script.matchAll(/uprobe:\/x\/robot:(0x[0-9a-f]+)/g)].map(([, offset]) => Number(offset));
  expect(places.toSorted()).toEqual(points.map(({ offset }) => offset).toSorted());
  expect(script).not.toContain('uretprobe');
});

test('each of them is for one process, and does something', () => {
  const lines = bpftraceScript(7, '/x/robot', [...points]).split('\n');
  for (const line of lines.filter((each) => !each.startsWith('interval'))) {
    expect(line).toMatch(/pid == 7\b/);
    expect(line).not.toMatch(/\{\s*\}/);
  }
});

test.each([
  ['cycles', 18],
  ['assistCount', 2310],
  ['grows', 0],
])('of %s, %d are printed at the end', (name, count) => {
  expect(printedCount(['tick', '@cycles: 3', '', '@assistCount: 2310', '@cycles: 18'], name)).toBe(count);
});
