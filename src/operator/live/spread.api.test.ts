/** What stands on pods for programs that follow a file, on the real API server, while a team changes its policy. The pod never runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { ANNOTATION_DESIRED } from '../../api/index.ts';
import { get, patchMerge, pods, policies, remove, silentLog, statefulSets } from '../../kube/index.ts';
import { Lives } from '../incidents/testing-lives.ts';
import { inPlace, namespace } from '../incidents/testing-worlds.ts';
import { OperatorMetrics } from '../metrics.ts';
import { LiveSpreader } from './controller.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await Lives.start();
}, 180_000);
afterAll(() => lives?.stop(), 60_000);

describe('a program that follows a file', () => {
  it('is told what becomes of its settings as the policy says it by now, and keeps them where it said so last', async () => {
    const { direct } = lives.api;
    const name = lives.named('follows');
    const ref = { namespace, name };
    await inPlace.deploy(direct, name);
    const { metadata } = await get(direct, policies, ref);
    const setting = { policy: metadata.uid, GOGC: { from: '10', to: '100' } };
    const wish = (onDelete: object = {}) =>
      JSON.stringify({ robot: { policy: setting.policy, ...onDelete, GOGC: setting.GOGC } });
    const stop = new AbortController();
    const spreader = new LiveSpreader({
      ...{ transport: direct, caches: lives.caches, observeOnly: false, log: silentLog },
      queueMetrics: new OperatorMetrics().queue,
    });
    const running = spreader.queue.run((key, signal) => spreader.reconcile(key, signal), { signal: stop.signal });
    const told = async () => {
      const { metadata: pod } = await get(direct, pods, { namespace, name: `${name}-0` });
      return pod.annotations[ANNOTATION_DESIRED];
    };
    const isTold = (text: string) => until(`the pod is told ${text}`, async () => (await told()) === text, 30_000, 50);
    const say = (actions: object) => patchMerge(direct, policies, ref, { spec: { actions } });
    try {
      const annotations = { [ANNOTATION_DESIRED]: wish() };
      await patchMerge(direct, statefulSets, ref, { metadata: { annotations } });
      await isTold(wish());
      await say({ liveBy: 'Program' });
      await isTold(wish({ onDelete: 'Revert' }));
      await say({ onDelete: 'Keep', mode: 'Observe' });
      await isTold(wish({ onDelete: 'Keep' }));
      const owner = async () => (await get(direct, statefulSets, ref)).metadata.annotations[ANNOTATION_DESIRED];
      expect(await owner()).toBe(wish({ onDelete: 'Keep' }));
      await remove(direct, policies, ref, {});
      await until('the owner wishes nothing any more', async () => (await owner()) === undefined, 30_000, 50);
      expect(await told()).toBe(wish({ onDelete: 'Keep' }));
    } finally {
      stop.abort();
      await running;
    }
  }, 120_000);
});
