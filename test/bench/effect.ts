/** Bench `effect`: how soon a breach is answered in the running pod, by Live and by Resize, on a whole local cluster. */
import { type Cluster, downCluster, upCluster } from '../cluster/cluster.ts';
import { importImages, installProduct, waitForProduct } from '../demo/deploy.ts';
import { deploy, heal, remove, undo } from '../effect/heal.ts';
import { type HealingCase, tooOften, tooTight } from '../effect/robots.ts';
import { type HealingTimes, healingTimes } from '../effect/times.ts';
import { type Span, spansOf } from './spans.ts';
import { median } from './statistics.ts';
import { type Written, writes } from './written.ts';

export const effectParts = ['write', 'live', 'resize'] as const;
export type EffectPart = (typeof effectParts)[number];

export interface EffectOptions {
  /** Of each part. */
  readonly runs: number;
  readonly parts: readonly EffectPart[];
  readonly signal: AbortSignal;
  readonly say: (sentence: string) => void;
}

/** What is promised of every run. */
export interface EffectPromise {
  readonly what: string;
  readonly heldIn: number;
  readonly of: number;
  /** The worst, in cycles or milliseconds. */
  readonly worst: number;
}

export interface EffectResult {
  readonly bench: 'effect';
  readonly runs: number;
  readonly spans: readonly Span[];
  readonly promises: readonly EffectPromise[];
  /** How the incidents ended, by the words of their last phase. */
  readonly ends: Readonly<Record<string, number>>;
  readonly held: boolean;
}

const clusterName = 'bench-effect';
/** From the evidence to the new setting in effect. */
const liveCycles = 2;
const liveBesidesMs = 1_000;
const resizeMs = 6_000;

interface Found {
  readonly spans: readonly Span[];
  readonly promises: readonly EffectPromise[];
  readonly ends: readonly string[];
}

export async function effect({ runs, parts, signal, say }: EffectOptions): Promise<EffectResult> {
  const found: Found[] = [];
  if (parts.includes('write')) {
    say(`GOGC written into a robot, ${runs} times`);
    found.push(ofWrites(await writes(runs, signal)));
  }
  const cases = [tooOften, tooTight].filter(({ apply }) => parts.some((part) => apply.join().toLowerCase() === part));
  if (cases.length > 0) {
    try {
      const cluster = await clusterWithProduct(signal, say);
      for (const each of cases) found.push(await healings(cluster, each, { runs, signal, say }));
    } finally {
      await downCluster(clusterName);
    }
  }
  const promises = found.flatMap((each) => each.promises);
  const ends = Object.fromEntries(
    Map.groupBy(
      found.flatMap((each) => each.ends),
      (end) => end,
    )
      .entries()
      .map(([end, all]) => [end, all.length]),
  );
  const held = promises.every((each) => each.heldIn === each.of);
  return { bench: 'effect', runs, spans: found.flatMap(({ spans }) => spans), promises, ends, held };
}

async function clusterWithProduct(signal: AbortSignal, say: (sentence: string) => void): Promise<Cluster> {
  const cluster = await upCluster({ name: clusterName, onProgress: say, signal });
  await importImages(cluster);
  await installProduct(cluster, ['agent.live=true']);
  await waitForProduct(cluster);
  return cluster;
}

/** One robot, healed again and again; in between it is as it was. */
async function healings(
  cluster: Cluster,
  healing: HealingCase,
  { runs, signal, say }: Pick<EffectOptions, 'runs' | 'signal' | 'say'>,
): Promise<Found> {
  const way = healing.apply.join();
  await deploy(cluster, healing);
  const times: HealingTimes[] = [];
  const ends: string[] = [];
  for (let run = 1; run <= runs; run++) {
    signal.throwIfAborted();
    const healed = await heal(cluster, healing, signal);
    const { phase, message } = healed.incident.status;
    const taken = healingTimes(healed);
    ends.push(`${way} ${phase}`);
    if (taken) times.push(taken);
    say(`${way} ${run} of ${runs}: ${phase}, ${taken ? `in effect after ${taken.effectMs} ms` : message}`);
    await undo(cluster, healing);
  }
  await remove(cluster, healing);
  return { spans: spansOfHealings(way, times), promises: [promiseOf(way, times, runs)], ends };
}

function ofWrites(written: readonly Written[]): Found {
  const what = 'GOGC, from the write';
  const spans = spansOf(
    what,
    written.map(({ effectMs }) => ({ 'a cycle went by it': effectMs })),
  );
  const cycles = written.map((each) => each.cycles);
  const held = cycles.filter((count) => count <= liveCycles).length;
  const promise = {
    what: `${what}: ${liveCycles} cycles`,
    heldIn: held,
    of: written.length,
    worst: Math.max(...cycles),
  };
  return { spans, promises: [promise], ends: [] };
}

function spansOfHealings(way: string, times: readonly HealingTimes[]): Span[] {
  return [
    ...spansOf(
      `${way}, from the first breaching window`,
      times.map((t) => ({ 'the breach is known': t.detectMs })),
    ),
    ...spansOf(
      `${way}, from the breach`,
      times.map((t) => ({
        'the evidence is whole': t.captureMs,
        'it is in effect': t.breachToEffectMs,
        'it is verified': t.healMs,
      })),
    ),
    ...spansOf(
      `${way}, from the evidence`,
      times.map((t) => ({ 'it is in effect': t.effectMs })),
    ),
    ...spansOf(
      `${way}, from the decision`,
      times.map((t) => ({ 'it is in effect': t.carryOutMs })),
    ),
  ];
}

function promiseOf(way: string, times: readonly HealingTimes[], runs: number): EffectPromise {
  const limitMs = ({ cycleMs }: HealingTimes): number =>
    way === 'Live' ? liveBesidesMs + liveCycles * cycleMs : resizeMs;
  const what = `${way}, from the evidence: ${Math.round(median(times.map(limitMs)))} ms`;
  const heldIn = times.filter((each) => each.effectMs <= limitMs(each)).length;
  return { what, heldIn, of: runs, worst: Math.max(...times.map(({ effectMs }) => effectMs)) };
}
