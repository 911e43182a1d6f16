/** How GOGC of a workload can be changed from where the plan is made; of several, the first in the policy's order that nothing stands against. */
import type { Owner, PolicySpec, Setting, SignalSummary } from '../api/index.ts';
import { gogcOfSetting } from '../model/index.ts';

type WayName = PolicySpec['actions']['apply'][number];

/** In the owner's pod template: a new pod for each old one. */
export interface RolloutWay {
  readonly kind: 'Rollout';
  readonly owner: Owner;
  readonly namespace: string;
  readonly container: string;
  /** GOGC of the container in the owner's pod template; null = not set there. */
  readonly setting: Setting;
  /** GOGC comes from a ConfigMap, Secret or field: not a value to overwrite. */
  readonly settingFromRef: boolean;
  readonly inProgress: boolean;
}

/** In the memory of the running process. */
export interface LiveWay {
  readonly kind: 'Live';
}

/** One that is not at hand here. */
export interface MissingWay {
  readonly kind: 'Missing';
  readonly of: WayName;
  /** A sentence. */
  readonly why: string;
}

export type Way = RolloutWay | LiveWay | MissingWay;
type TakenWay = RolloutWay | LiveWay;

export interface Chosen {
  readonly way: TakenWay;
  /** What the change begins from, as this way writes it. */
  readonly from: Setting;
}

/** Or why none of those that the policy allows can be taken. */
export function chooseWay(
  apply: PolicySpec['actions']['apply'],
  ways: readonly Way[],
  summary: SignalSummary,
): Chosen | string {
  const obstacles: string[] = [];
  for (const name of apply) {
    const way = ways.find((each) => (each.kind === 'Missing' ? each.of : each.kind) === name);
    const chosen = way === undefined ? whyNone(name) : fromOf(way, summary);
    if (typeof chosen !== 'string') return chosen;
    obstacles.push(chosen);
  }
  return obstacles.join(' ');
}

function whyNone(name: WayName): string {
  return name === 'Resize' ? 'Resize does not change GOGC.' : `${name} is not possible here.`;
}

function fromOf(way: Way, summary: SignalSummary): Chosen | string {
  switch (way.kind) {
    case 'Missing':
      return way.why;
    case 'Live':
      if (summary.gogc === null) return 'GOGC in effect is not known yet: no cycle was seen.';
      return { way, from: String(summary.gogc) };
    case 'Rollout':
      return whyNotRollout(way, summary) ?? { way, from: way.setting };
  }
}

function whyNotRollout({ owner, setting, settingFromRef, inProgress }: RolloutWay, { gogc }: SignalSummary) {
  if (settingFromRef) return `GOGC of ${owner.kind} ${owner.name} comes from a reference (valueFrom); change it there.`;
  const asSet = gogcOfSetting(setting);
  // While a rollout is under way, the pod under watch may rightly run with the older setting.
  if (!inProgress && gogc !== null && gogc !== asSet) {
    return `GOGC in effect is ${gogc}, the environment says ${setting ?? `nothing (${asSet})`}: the program sets it itself, a rollout would not help.`;
  }
  return undefined;
}
