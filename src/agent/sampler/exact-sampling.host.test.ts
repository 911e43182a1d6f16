/**
 * Assists in a storm, looked at for a part of the time against a second probe that sees every one: what a window
 * says of its own error holds.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { measured } from '../../../test/support/measured.ts';
import type { AttachPlan } from '../../gobin/index.ts';
import { attachRequest, type Flush, type ProbeClient, startProbe } from '../../host/probe/index.ts';
import { assistsOnly, everyAssist, sum } from '../../host/probe/testing/buckets.ts';
import { Churn } from '../../host/probe/testing/churn.ts';
import { buildChurnAs, buildModes } from '../../host/probe/testing/churn-builds.ts';
import { buildProbe, missingGround, sleep } from '../../host/probe/testing/ground.ts';
import { planOf } from '../../host/probe/testing/plan.ts';
import { type AssistSampling, bucketStalls, type StallStats, stallStats } from '../../model/index.ts';
import { assistsOf } from './assists.ts';

const missing = missingGround();
const windows = 30;
const windowMs = 1_000;
/** Below what the program reaches on a loaded machine, so that every window is sampled. */
const limit = '1200';

interface Compared {
  readonly truth: StallStats;
  readonly told: StallStats;
  readonly sampling: AssistSampling;
}

/** Every assist, those that only take credit too: these make the storms. */
function everyCall(plan: AttachPlan): AttachPlan {
  return { ...plan, optional: plan.optional.filter(({ group }) => group !== 'assistSlow') };
}

async function watching(churn: Churn, plan: AttachPlan, assists: string): Promise<ProbeClient> {
  const probe = await startProbe({ args: ['--assists', assists] });
  await probe.attach(attachRequest('churn', `/proc/${churn.pid}/exe`, plan));
  await probe.watch(churn.pid, 'churn');
  return probe;
}

async function compare(args: readonly string[]): Promise<Compared[]> {
  const [normal] = buildModes;
  if (!normal) throw new Error('there are build modes');
  const binary = buildChurnAs('1.26.8', normal);
  const plan = everyCall(planOf(binary));
  await using churn = new Churn(binary, { GOGC: '10' }, ['-lists', '20', ...args]);
  await using every = await watching(churn, plan, everyAssist);
  await using some = await watching(churn, plan, limit);
  const both = (): Promise<[Flush, Flush]> => Promise.all([every.flush(), some.flush()]);
  await churn.ask('start');
  await sleep(2 * windowMs);
  await both();
  const compared: Compared[] = [];
  for (let i = 0; i < windows; i++) {
    await sleep(windowMs);
    const [all, part] = await both();
    const { sets, sampling } = assistsOf(assistsOnly(part.histograms), part.sampled);
    const truth = stallStats(assistsOnly(all.histograms).map(bucketStalls));
    if (sampling) compared.push({ truth, told: stallStats(sets), sampling });
  }
  return compared;
}

describe.skipIf(missing !== '').each([
  { by: 'eight goroutines', args: [], widest: { count: 2, sumNs: 3 } },
  // Twice as many, so looked at for half as long.
  { by: 'a new goroutine for each message', args: ['-messages'], widest: { count: 3, sumNs: 4 } },
])(`assists in a storm by $by${missing}`, ({ args, widest }) => {
  let compared: Compared[] = [];
  measured(async () => {
    buildProbe();
    compared = await compare(args);
  }, 300_000);
  afterAll(() => {
    const shares = compared.map(({ sampling }) => sampling.observedShare);
    const rate = all(({ truth }) => truth.count) / ((compared.length * windowMs) / 1000);
    console.info(
      `${compared.length} windows of ${Math.round(rate)} assists a second, looked at for ${(100 * (sum(shares) / shares.length)).toFixed(0)} % of the time`,
    );
  });
  const all = (pick: (window: Compared) => number): number => sum(compared.map(pick));

  it('are looked at for a part of the time only', () => {
    expect(compared.length).toBeGreaterThanOrEqual(0.9 * windows);
    expect(all(({ sampling }) => sampling.observedShare) / compared.length).toBeLessThan(0.8);
  });

  it('the true 99th percentile lies in the interval told, in nine windows of ten', () => {
    const held = compared.filter(
      ({ truth, sampling: { p99LowNs, p99HighNs } }) =>
        truth.p99Ns >= p99LowNs && truth.p99Ns <= (p99HighNs ?? Number.POSITIVE_INFINITY),
    );
    console.info(`held in ${held.length} of ${compared.length}`);
    // Of 30 windows so many hold by chance, with 99 %, when nine of ten do.
    expect(held.length).toBeGreaterThanOrEqual(0.75 * compared.length);
  });

  it.each([
    { of: 'count', low: 'countLow', high: 'countHigh' },
    { of: 'sumNs', low: 'sumLowNs', high: 'sumHighNs' },
  ] as const)('the true $of lies in the interval told, in nine windows of ten', ({ of, low, high }) => {
    const apart = compared.map(({ truth, told }) => Math.log(told[of] / truth[of]));
    const held = compared.filter(
      ({ truth, sampling }) =>
        truth[of] >= (sampling[low] ?? 0) && truth[of] <= (sampling[high] ?? Number.POSITIVE_INFINITY),
    );
    const deviation = Math.sqrt(sum(apart.map((x) => x ** 2)) / apart.length);
    console.info(`${of}: held in ${held.length} of ${compared.length}, standard deviation ${deviation.toFixed(2)}`);
    expect(held.length).toBeGreaterThanOrEqual(0.75 * compared.length);
    // Not so widely that everything holds.
    const widths = compared.map(({ told, sampling }) => (sampling[high] ?? Number.POSITIVE_INFINITY) / told[of]);
    const width = widths.toSorted((a, b) => a - b)[Math.floor(widths.length / 2)];
    console.info(`${of}: told as up to ${width?.toFixed(2)} times as much, in the middle`);
    expect(width).toBeLessThanOrEqual(widest[of]);
  });

  it('and what is told is told narrowly: not below the median, not above the longest seen', () => {
    for (const { told, sampling } of compared) {
      expect(sampling.p99LowNs).toBeGreaterThanOrEqual(told.p50Ns);
      expect(sampling.p99LowNs).toBeLessThanOrEqual(told.p99Ns);
      if (sampling.p99HighNs === null) expect(sampling.observed).toBeLessThan(1_500);
      else expect(sampling.p99HighNs).toBeLessThanOrEqual(told.maxNs);
    }
  });

  it('count and sum, scaled, are right on average and within a factor of 2.5 in nine windows of ten', () => {
    const tolerances = { count: 1.25, sumNs: 1.4 } as const;
    for (const of of ['count', 'sumNs'] as const) {
      const overall = all(({ told }) => told[of]) / all(({ truth }) => truth[of]);
      expect(overall).toBeGreaterThan(1 / tolerances[of]);
      expect(overall).toBeLessThan(tolerances[of]);
      // A window is a few looks at random moments.
      const near = compared.filter(({ told, truth }) => told[of] / truth[of] > 0.4 && told[of] / truth[of] < 2.5);
      expect(near.length).toBeGreaterThanOrEqual(0.9 * compared.length);
    }
  });
});
