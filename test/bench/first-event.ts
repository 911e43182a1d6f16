/** Bench `first-event`: how soon a process is seen. The order to attach until its first event, and the way there of the sampler and of `watch`. */
import { planAttach } from '../../src/gobin/index.ts';
import { monotonicNs, openFileReader } from '../../src/host/index.ts';
import { attachRequest, type ProbeClient, startProbe } from '../../src/host/probe/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import { removeTemporaryFolders } from '../../src/host/probe/testing/ground.ts';
import { SamplerRig } from '../robustness/sampler-rig.ts';
import { until } from '../support/until.ts';
import { BenchError } from './errors.ts';
import { type Span, spansOf, type Times } from './spans.ts';
import { Watcher } from './watcher.ts';

export interface FirstEventOptions {
  readonly runs: number;
  readonly say: (sentence: string) => void;
}

export interface FirstEventResult {
  readonly bench: 'first-event';
  readonly runs: number;
  readonly spans: readonly Span[];
}

/** Collects without pause, so that the first event hardly has to be waited for. */
const tireless = (binary: string): Churn => new Churn(binary, { GOMAXPROCS: '1' }, ['-lists', '1', '-gc-every', '1us']);

export async function firstEvent({ runs, say }: FirstEventOptions): Promise<FirstEventResult> {
  try {
    const binary = buildChurn();
    const spans: Span[] = [];
    for (const [what, times] of [
      ['the probe, told to attach', ofProbe],
      ['the sampler, told of a new process', ofSampler],
      ['robotgc watch, started', ofWatch],
    ] as const) {
      say(`${what}: ${runs} runs`);
      spans.push(...spansOf(what, await times(binary, runs)));
    }
    return { bench: 'first-event', runs, spans };
  } finally {
    removeTemporaryFolders();
  }
}

async function ofProbe(binary: string, runs: number): Promise<Times[]> {
  await using churn = tireless(binary);
  await using probe = await startProbe();
  const times: Times[] = [];
  for (let i = 0; i < runs; i++) times.push(await attachedOnce(probe, churn.pid, `run${i}`));
  return times;
}

async function attachedOnce(probe: ProbeClient, pid: number, id: string): Promise<Times> {
  const file = `/proc/${pid}/exe`;
  const orderNs = monotonicNs();
  using reader = openFileReader(file);
  const plan = planAttach(reader);
  if (plan.kind === 'refused') throw new BenchError('NOTHING_TO_MEASURE', plan.message);
  const plannedNs = monotonicNs();
  await probe.attach(attachRequest(id, file, plan));
  await probe.watch(pid, id);
  const watchingNs = monotonicNs();
  for (;;) {
    const { pauses } = await probe.flush();
    // There may be some yet of the run before.
    const first = pauses.find(({ startNs, totalNs }) => startNs + totalNs > orderNs);
    if (!first) continue;
    const readNs = monotonicNs();
    await probe.unwatch(pid);
    await probe.detach(id);
    return {
      'where is known': (plannedNs - orderNs) / 1e6,
      'everything is attached': (watchingNs - orderNs) / 1e6,
      'first event happened': (first.startNs + first.totalNs - orderNs) / 1e6,
      'first event is read': (readNs - orderNs) / 1e6,
    };
  }
}

/** Programs come while the sampler ticks, each at another moment of its second. */
async function ofSampler(binary: string, runs: number): Promise<Times[]> {
  await using rig = new SamplerRig();
  await rig.nextTicks();
  const times: Times[] = [];
  for (let i = 0; i < runs; i++) {
    const key = `run${i}`;
    await using churn = tireless(binary);
    const startMs = performance.now();
    rig.watch(key, churn.pid);
    await rig.untilState(key, 'Watching');
    const watchingMs = performance.now();
    await until('a pause', () => (rig.pauses.get(key)?.length ?? 0) > 0, 30_000);
    times.push({ Watching: watchingMs - startMs, 'first event is read': performance.now() - startMs });
    rig.forget(key);
  }
  return times;
}

async function ofWatch(binary: string, runs: number): Promise<Times[]> {
  await using churn = tireless(binary);
  const times: Times[] = [];
  for (let i = 0; i < runs; i++) {
    const startMs = performance.now();
    await using watcher = await Watcher.start(churn.pid);
    const watchingMs = performance.now();
    await until('a pause', () => watcher.pauses.length > 0, 30_000);
    times.push({ Watching: watchingMs - startMs, 'first event is printed': performance.now() - startMs });
  }
  return times;
}
