/** What the product did under a shape, by the status of its policy and of its incidents. */
import type { ActionRecord, RobotGCIncident } from '../../../src/api/index.ts';
import { find, incidents, list, policies, type Transport } from '../../../src/kube/index.ts';

export interface Deeds {
  /** Changes of a setting, those taken back among them. */
  readonly actions: number;
  /** In the order of time, for people. */
  readonly told: readonly string[];
}

export async function deedsOf(transport: Transport, namespace: string, policy: string, fromMs: number): Promise<Deeds> {
  const tuned = (await find(transport, policies, { namespace, name: policy }))?.status.tuning ?? [];
  const items = await list(transport, incidents, { namespace });
  const own = items.filter(({ spec }) => spec.policy.name === policy);
  const actions = [...tuned, ...own.map(({ status }) => status)].flatMap((each) => each.actions ?? []);
  const told = [...own.map(tellIncident), ...actions.map(tellAction)];
  const second = (atMs: number): string => `${((atMs - fromMs) / 1000).toFixed(0)} s`;
  return {
    actions: actions.length,
    told: told.sort((a, b) => a.atMs - b.atMs).map(({ atMs, sentence }) => `${second(atMs)}: ${sentence}`),
  };
}

interface Told {
  readonly atMs: number;
  readonly sentence: string;
}

function tellIncident({ spec: { trigger }, status }: RobotGCIncident): Told {
  const { phase, cause, message } = status;
  const { signal, observed } = trigger;
  const finishedMs = Date.parse(status.times?.finishedAt ?? '') - Date.parse(trigger.detectedAt);
  const over = Number.isNaN(finishedMs) ? '' : ` after ${(finishedMs / 1000).toFixed(0)} s`;
  return {
    atMs: Date.parse(trigger.detectedAt),
    sentence: `${signal} ${Number(observed.toPrecision(3))}, ${cause ?? 'no cause'}: ${phase}${over}, ${message}`,
  };
}

function tellAction({ at, kind, knob, before, after, result, message }: ActionRecord): Told {
  const why = message === undefined ? '' : `, ${message}`;
  return { atMs: Date.parse(at), sentence: `${kind} ${knob} ${before} → ${after}: ${result}${why}` };
}
