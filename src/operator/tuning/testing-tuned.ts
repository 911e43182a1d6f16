/** For tests: continuous tuning of a workload, by default one that serves 10 000 robots with GOGC 10, until what it began is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { get, policies, silentLog, type Transport } from '../../kube/index.ts';
import { Killed, mortal } from '../incidents/testing-faults.ts';
import { type Lives, type Trouble, windowOf } from '../incidents/testing-lives.ts';
import { followed, namespace, type World } from '../incidents/testing-worlds.ts';
import { OperatorMetrics } from '../metrics.ts';
import { SignalStore } from '../signals.ts';
import { TuningController } from './controller.ts';

export async function tune(
  lives: Lives,
  wanted: string,
  { death, leaders = 1, world = followed }: Pick<Trouble, 'death' | 'leaders'> & { readonly world?: World } = {},
): Promise<object> {
  const { direct } = lives.api;
  const name = lives.named(wanted);
  await world.deploy(direct, name);
  const stopped = new AbortController();
  const signals = new SignalStore();
  const { pod } = await world.settle(direct, name);
  for (let ago = 10_000; ago > 0; ago -= 1000) signals.add(windowOf(pod.metadata, Date.now() - ago, 0.02, 10));
  const playing = lives.play(name, [signals], { world, share: 0.02 }, stopped.signal);
  let writes = 0;
  const born = (): TuningController =>
    tuningOf(
      lives,
      mortal(direct, death, () => ++writes),
      signals,
    );
  try {
    await Promise.all(Array.from({ length: leaders }, () => lead(lives, name, born)));
    const { status } = await get(direct, policies, { namespace, name });
    const actions = status.tuning?.[0]?.actions?.map(({ kind, before, after, result }) => [
      kind,
      before,
      after,
      result,
    ]);
    return { actions, ...(await world.end(direct, name)) };
  } finally {
    stopped.abort();
    await playing;
  }
}

async function lead({ api, signal }: Lives, name: string, born: () => TuningController): Promise<void> {
  let controller = born();
  for (const deadlineMs = Date.now() + 100_000; Date.now() < deadlineMs; ) {
    try {
      await controller.reconcile(`${namespace}/${name}`, signal);
    } catch (error) {
      if (error instanceof Killed) controller = born();
    }
    await sleep(100);
    const { status } = await get(api.direct, policies, { namespace, name });
    if (status.tuning?.[0]?.actions?.at(-1)?.result === 'Completed') return;
  }
  const { status } = await get(api.direct, policies, { namespace, name });
  throw new Error(`${name}: ${JSON.stringify(status.tuning)}`);
}

function tuningOf(lives: Lives, transport: Transport, signals: SignalStore): TuningController {
  const { caches } = lives;
  return new TuningController({
    ...{ transport, caches, signals },
    observeOnly: false,
    breaker: lives.breakerOf(caches),
    recorder: lives.recorderOf(),
    metrics: new OperatorMetrics(),
    log: silentLog,
  });
}
