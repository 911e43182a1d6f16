import { describe, expect, it } from 'vitest';
import { type AttachPlan, layoutFor, type OptionalPoints } from '../../gobin/index.ts';
import { attachRequest } from './attach-request.ts';
import { attachRequestSchema } from './protocol.ts';

const layout = layoutFor(26);
if (!layout) throw new Error('Go 1.26 has a layout');

const place = <T extends string>(point: T, offset: number) => ({
  point,
  offset,
  bytes: '55',
  symbol: 'f',
  address: 0x400000 + offset,
});
const slow: OptionalPoints = {
  kind: 'ok',
  group: 'assistSlow',
  points: [place('assistSlowBegin', 20), place('assistSlowEnd', 21)],
};
const parks: OptionalPoints = {
  kind: 'ok',
  group: 'pollPark',
  points: [place('pollParkBegin', 30), place('pollParkEnd', 31)],
};
const noServer: OptionalPoints = { kind: 'absent', group: 'tlsServer', reason: 'function-not-found', message: 'none' };
const plan: AttachPlan = {
  kind: 'ok',
  goVersion: 'go1.26.8',
  arch: 'amd64',
  points: [
    place('stwEntry', 1),
    place('stwRet', 2),
    place('assistEntry', 3),
    place('assistExit', 4),
    place('cycleEnd', 5),
  ],
  optional: [noServer],
  layout,
  stoppingKnown: true,
  goidOffset: 152,
  stripped: false,
  pie: false,
};

describe('the order to attach', () => {
  const pointsOf = (optional: readonly OptionalPoints[]): string[] =>
    attachRequest('a', '/proc/1/exe', { ...plan, optional }).points.map(({ point }) => point);

  it.each([
    [
      'every assist where slow ones cannot be told',
      [noServer],
      ['stwEntry', 'stwRet', 'assistEntry', 'assistExit', 'cycleEnd'],
    ],
    [
      'slow assists alone where they can',
      [slow],
      ['stwEntry', 'stwRet', 'cycleEnd', 'assistSlowBegin', 'assistSlowEnd'],
    ],
    ['no reads: only while somebody asks', [parks], ['stwEntry', 'stwRet', 'assistEntry', 'assistExit', 'cycleEnd']],
  ] as const)('%s', (_, optional, points) => {
    expect(pointsOf(optional)).toEqual(points);
  });

  it('is one that the probe takes, and says what this Go version tells of stopping', () => {
    expect(() => attachRequestSchema.parse(attachRequest('a', '/proc/1/exe', plan))).not.toThrow();
    expect(attachRequest('a', '/x', plan).stoppingKnown).toBe(true);
    const old = { ...plan, stoppingKnown: false };
    expect(attachRequest('a', '/x', old).stoppingKnown).toBe(false);
  });
});
