/** The exits of gcAssistAlloc that are no RET, on real programs: passed once for each call, and they see the same stalls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttachPoint as PlannedPoint } from '../../gobin/index.ts';
import { startProbe } from './index.ts';
import { assistsOnly, everyAssist, sum } from './testing/buckets.ts';
import { buildChurn, Churn } from './testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep } from './testing/ground.ts';
import { mergeHistograms } from './testing/histogram.ts';
import { HitCounter, missingTracefs } from './testing/hit-counter.ts';
import { planOf } from './testing/plan.ts';
import { attachPoints } from './testing/points.ts';

const missing = missingGround();
const wantedStalls = 10_000;

const assistPoints = (binary: string): readonly PlannedPoint[] =>
  planOf(binary).points.filter(({ symbol }) => symbol === 'runtime.gcAssistAlloc');

/** From rest to rest, until enough stalls have passed. */
async function stall(churn: Churn, stalls: () => number | Promise<number>): Promise<void> {
  await churn.ask('start');
  for (let i = 0; i < 600 && (await stalls()) < wantedStalls; i++) await sleep(200);
  await churn.ask('stop');
}

describe.skipIf(missing !== '')(`cheap exits of real assist stalls${missing}`, () => {
  beforeAll(() => {
    buildProbe();
  });
  afterAll(removeTemporaryFolders);

  describe.each(['1.22.12', '1.26.8'])('of go%s', (toolchain) => {
    let binary = '';
    let points: readonly PlannedPoint[] = [];
    beforeAll(() => {
      binary = buildChurn(toolchain);
      points = assistPoints(binary);
    }, 300_000);

    it('see the stalls that the RETs see', async () => {
      expect(points.filter(({ point }) => point === 'assistExit')).toHaveLength(3);
      await using churn = new Churn(binary, { GOGC: '10' });
      await using byRet = await startProbe({ args: ['--assists', everyAssist] });
      await using byExit = await startProbe({ args: ['--assists', everyAssist] });
      const file = `/proc/${churn.pid}/exe`;
      const planned = points.map(({ point, offset, bytes }) => ({ point, offset, bytes }));
      const onRets = attachPoints(binary).filter(({ point }) => point === 'assistEntry' || point === 'assistRet');
      await byRet.attach({ id: 'churn', file, points: onRets });
      await byExit.attach({ id: 'churn', file, points: planned });
      for (const probe of [byRet, byExit]) await probe.watch(churn.pid, 'churn');
      const seen = { byRet: mergeHistograms([]), byExit: mergeHistograms([]) };
      const flush = async (): Promise<number> => {
        const [ret, exit] = await Promise.all([byRet.flush(), byExit.flush()]);
        seen.byRet = mergeHistograms([seen.byRet, ...assistsOnly(ret.histograms)]);
        seen.byExit = mergeHistograms([seen.byExit, ...assistsOnly(exit.histograms)]);
        return seen.byRet.count;
      };
      await stall(churn, flush);
      await flush();
      const { byRet: ret, byExit: exit } = seen;
      expect(ret.count).toBeGreaterThanOrEqual(wantedStalls);
      expect(exit.count).toBe(ret.count);
      // The RET's own probe comes after the exit's, and its stop takes some microseconds.
      expect(exit.sumNs).toBeLessThanOrEqual(ret.sumNs);
      expect((ret.sumNs - exit.sumNs) / ret.count).toBeLessThan(100_000);
      const long = (buckets: readonly (readonly [number, number])[]): number =>
        sum(buckets.filter(([upper]) => upper >= 1_000_000).map(([, count]) => count));
      // Stalls near 1 ms fall on either side, and a thread may lose its processor between the two.
      expect(Math.abs(long(exit.buckets) - long(ret.buckets))).toBeLessThanOrEqual(5 + 0.1 * long(ret.buckets));
    }, 300_000);

    it.skipIf(missingTracefs() !== '')(
      `are passed once a call, by the kernel's count${missingTracefs()}`,
      async () => {
        const rets = attachPoints(binary).filter(({ point }) => point === 'assistRet');
        using counter = new HitCounter(binary, [...points, ...rets.map(({ offset }) => ({ point: 'ret', offset }))]);
        await using churn = new Churn(binary, { GOGC: '10' });
        await stall(churn, () => counter.hits('assistEntry'));
        const entered = counter.hits('assistEntry');
        expect(entered).toBeGreaterThanOrEqual(wantedStalls);
        expect(counter.hits('assistExit') + counter.hits('assistRet')).toBe(entered);
        expect(counter.hits('ret')).toBe(entered);
        // They carry nearly all.
        expect(counter.hits('assistExit')).toBeGreaterThan(0.9 * entered);
      },
      300_000,
    );
  });
});
