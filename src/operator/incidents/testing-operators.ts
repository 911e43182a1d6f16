/** For tests: operators as they run, with caches, a queue and a Lease of their own; only their incidents are looked at. */
import { createTransport, KeyedQueue, LeaderElector, Manager, silentLog } from '../../kube/index.ts';
import { createCaches } from '../caches.ts';
import type { SignalStore } from '../signals.ts';
import type { Lives } from './testing-lives.ts';
import { namespace } from './testing-worlds.ts';

export interface RunningOperator {
  leads(): boolean;
  /** What went on although another may have led. */
  overruns(): readonly string[];
  stop(): Promise<void>;
}

export function operate(
  lives: Lives,
  { identity, signals }: { readonly identity: string; readonly signals: SignalStore },
): RunningOperator {
  const { kubeconfigPath } = lives.api.plane;
  const transport = createTransport({ kubeconfigPath, userAgent: identity });
  const caches = createCaches(transport, silentLog);
  const queue = new KeyedQueue({ name: 'incidents' });
  caches.incidents.store.onChange(({ key }) => queue.add(key));
  const controller = lives.controllerOf({ transport, signals, caches });
  const overruns: string[] = [];
  const elector = new LeaderElector({
    ...{ transport, namespace, identity },
    name: 'robotgc-operator',
    log: silentLog,
    onOverrun: () => overruns.push(identity),
  });
  const manager = new Manager({
    log: silentLog,
    reflectors: Object.values(caches),
    controllers: [
      { name: 'incidents', queue, concurrency: 4, reconcile: (key, signal) => controller.reconcile(key, signal) },
    ],
    elector,
  });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  return {
    leads: () => elector.isLeader,
    overruns: () => overruns,
    stop: async () => {
      stop.abort();
      await running;
      await transport.close();
    },
  };
}
