/** A memory limit that was raised comes down again after a calm time, in the running pod: GOMEMLIMIT first. */
import { expect, it } from 'vitest';
import { type ActionRecord, quantityBytes, type RobotGCIncident, type TuningState } from '../../src/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { deploy, over, type PodFacts, podOf, policyNow, remove, setPolicy, settingsOf } from '../effect/heal.ts';
import { until } from '../support/until.ts';
import { changeLoad, templateOf } from './sight.ts';
import { tooTight } from './small-robots.ts';
import { type Begun, type Story, told } from './stories.ts';

/** Four times the sessions that it was made for. */
const formula = { base: 400 };
const surging = tooTight({
  name: 'ferry',
  apply: ['Live', 'Resize'],
  env: { GOGC: '400', GOMEMLIMIT: '44MiB' },
  thresholds: { memoryShareOfLimit: '60%' },
  memoryLimit: { max: '144Mi', step: '200%', goMemLimit: '70%', lowerAfter: '5s' },
  policy: {
    activity: { podMetric: { port: 9090, name: 'robot_active_sessions' } },
    // The formula asks for what the program has.
    tuning: { continuous: true, formula },
  },
});
/** The breach first: the formula, asked before it, makes do with what fits, and then nothing is raised. */
const untuned = { ...surging, policy: { ...surging.policy, tuning: { continuous: false, formula } } };
const calm = { sessions: 250, transitionsPerSecond: 300 };

interface Told {
  readonly before: PodFacts;
  readonly raised: RobotGCIncident;
  /** What continuous tuning did. */
  readonly lowered: readonly ActionRecord[];
  readonly after: PodFacts;
  readonly goMemLimitBytes: number;
  readonly template: string;
}

async function tell(cluster: Cluster): Promise<Told> {
  await deploy(cluster, surging);
  const before = await podOf(cluster, surging);
  const { incident: raised } = await over(cluster, surging, await setPolicy(cluster, untuned));
  await setPolicy(cluster, surging);
  await changeLoad(cluster, surging, before, calm);
  let tuning: TuningState | undefined;
  let lowered: readonly ActionRecord[] = [];
  let after = before;
  const isDown = async (): Promise<boolean> => {
    tuning = (await policyNow(cluster, surging)).status.tuning?.[0];
    lowered = tuning?.actions ?? [];
    after = await podOf(cluster, surging);
    // What the formula asks for under the smaller limit may come after it.
    const last = lowered.findLast(({ knob }) => knob !== 'GOGC');
    return last?.kind === 'Resize' && last.result === 'Completed' && last.after === after.limitInEffect;
  };
  await until(() => `the limit comes down: ${JSON.stringify({ after, tuning })}`, isDown, 240_000, 500);
  const { goMemLimitBytes } = await settingsOf(cluster, surging, after);
  const { memory: template } = await templateOf(cluster, surging);
  await remove(cluster, surging);
  return { before, raised, lowered, after, goMemLimitBytes, template };
}

export const lowering: Story<Told> = { robot: surging, tell };

export function lowerTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('rises with a surge, and GOMEMLIMIT with it', () => {
    const { status } = story().raised;
    expect(status, status.message).toMatchObject({ phase: 'Resolved', cause: 'MemoryLimitTooTight' });
    expect(status.actions).toMatchObject([
      { kind: 'Resize', knob: 'MemoryLimit', before: '48Mi', after: '144Mi', result: 'Completed' },
      { kind: 'Live', knob: 'GOMEMLIMIT', result: 'Completed' },
    ]);
  });

  it('comes down once the surge is over and it is calm: GOMEMLIMIT for the smaller limit first, then the limit', () => {
    const { after, goMemLimitBytes } = story();
    const [first, ...more] = story().lowered.filter(({ knob }) => knob !== 'GOGC');
    expect(first).toMatchObject({ kind: 'Live', knob: 'GOMEMLIMIT', result: 'Completed' });
    expect(more.at(-1)).toMatchObject({ kind: 'Resize', knob: 'MemoryLimit', after: after.limit, result: 'Completed' });
    const bytes = quantityBytes(after.limit) ?? 0;
    expect(bytes).toBeLessThan(144 * 2 ** 20);
    // By the program's own word.
    expect(goMemLimitBytes).toBeLessThan(bytes);
  });

  it('does so in the running container, by the kubelet’s word, and leaves the template alone', () => {
    const { before, after, template } = story();
    expect(before).toMatchObject({ limitInEffect: '48Mi', restarts: 0 });
    expect(after).toEqual({ ...before, limit: after.limit, limitInEffect: after.limit });
    expect(template).toBe('48Mi');
  });
}
