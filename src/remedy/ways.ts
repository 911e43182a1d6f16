/** How a workload can be changed from where the plan is made; of several ways, the first in the policy's order that nothing stands against. */
import type { Changed, Knob, Owner, PolicySpec, Setting, SignalSummary, Way as WayName } from '../api/index.ts';
import { gogcOfSetting } from '../model/index.ts';
import { type ResizeWay, whyNotResize } from './resize.ts';

/** What a pod template says of a knob. */
export interface KnobSetting {
  /** Null = not set. */
  readonly setting: Setting;
  /** It comes from a ConfigMap, Secret or field: not a value to overwrite. */
  readonly fromRef: boolean;
}

/** In the owner's pod template: a new pod for each old one. */
export interface RolloutWay {
  readonly kind: 'Rollout';
  readonly owner: Owner;
  readonly namespace: string;
  readonly container: string;
  /** Of the container in the owner's pod template. */
  readonly settings: Readonly<Record<Knob, KnobSetting>>;
  /** The memory request equals the limit there, and is to stay so. */
  readonly requestFollows: boolean;
  readonly inProgress: boolean;
  /** Default: all that stand in a template. */
  readonly knobs?: readonly Knob[];
}

/** In the memory of the running process. */
export interface LiveWay {
  readonly kind: 'Live';
  /** Default: all that can be written there. */
  readonly knobs?: readonly Knob[];
}

/** A pod is ended, and its controller makes another: nothing is set. */
export interface RestartWay {
  readonly kind: 'Restart';
  readonly namespace: string;
  /** The one in breach. */
  readonly pod: string;
}

/** One that is not at hand here. */
export interface MissingWay {
  readonly kind: 'Missing';
  readonly of: WayName;
  /** A sentence. */
  readonly why: string;
}

export type Way = RolloutWay | LiveWay | ResizeWay | RestartWay | MissingWay;
export type TakenWay = Exclude<Way, MissingWay>;

export interface Chosen {
  readonly way: TakenWay;
  /** What the change begins from, as this way writes it. */
  readonly from: Setting;
}

/** What a change by a way begins from; or, as `why`, what stands against it. */
export type Begin = (way: TakenWay) => { readonly from: Setting } | { readonly why: string };

const CHANGES: Readonly<Record<WayName, readonly Changed[]>> = {
  Live: ['GOGC', 'GOMEMLIMIT'],
  Resize: ['MemoryLimit'],
  Rollout: ['GOGC', 'GOMEMLIMIT', 'MemoryLimit'],
  Restart: ['Pod'],
};
const WORDS: Readonly<Record<Changed, string>> = {
  GOGC: 'GOGC',
  GOMEMLIMIT: 'GOMEMLIMIT',
  MemoryLimit: 'the memory limit',
  Pod: 'the pod',
};

/** Those that leave the running pods: a new pod has the memory limit of its template, not what a resize gave to the one before it. */
export function inPlace(ways: readonly Way[]): Way[] {
  return ways.filter(({ kind }) => kind !== 'Rollout');
}

/** Or why none of those that the policy allows can be taken. */
export function chooseWay(
  knob: Changed,
  apply: PolicySpec['actions']['apply'],
  ways: readonly Way[],
  begin: Begin,
): Chosen | string {
  const obstacles: string[] = [];
  for (const name of apply) {
    const way = ways.find((each) => (each.kind === 'Missing' ? each.of : each.kind) === name);
    const chosen = tryWay(knob, name, way, begin);
    if (typeof chosen !== 'string') return chosen;
    obstacles.push(chosen);
  }
  return obstacles.join(' ');
}

function tryWay(knob: Changed, name: WayName, way: Way | undefined, begin: Begin): Chosen | string {
  if (!CHANGES[name].includes(knob)) return `${name} does not change ${WORDS[knob]}.`;
  if (way === undefined) return `${name} is not possible here.`;
  if (way.kind === 'Missing') return way.why;
  if ('knobs' in way && way.knobs && !way.knobs.some((each) => each === knob))
    return `${name} does not change ${WORDS[knob]} here.`;
  const begun = begin(way);
  return 'why' in begun ? begun.why : { way, from: begun.from };
}

/** Of GOGC: what the running process goes by, or what the template says, unless the program sets it itself. */
export function beginGogc({ gogc }: Pick<SignalSummary, 'gogc'>): Begin {
  return (way) => {
    if (way.kind !== 'Rollout') {
      return gogc === null ? { why: 'GOGC in effect is not known yet: no cycle was seen.' } : { from: String(gogc) };
    }
    const { setting, fromRef } = way.settings.GOGC;
    if (fromRef) return { why: fromReference(way, 'GOGC') };
    const asSet = gogcOfSetting(setting);
    // While a rollout is under way, the pod under watch may rightly run with the older setting.
    if (way.inProgress || gogc === null || gogc === asSet) return { from: setting };
    const says = setting ?? `nothing (${asSet})`;
    return {
      why: `GOGC in effect is ${gogc}, the environment says ${says}: the program sets it itself, a rollout would not help.`,
    };
  };
}

/** @param inEffectBytes by the newest cycle; null = no limit, undefined = no cycle was seen */
export function beginGoMemLimit(inEffectBytes: number | null | undefined): Begin {
  return (way) => {
    if (way.kind !== 'Rollout') {
      if (inEffectBytes === undefined) return { why: 'GOMEMLIMIT in effect is not known yet: no cycle was seen.' };
      return { from: inEffectBytes === null ? null : String(inEffectBytes) };
    }
    const { setting, fromRef } = way.settings.GOMEMLIMIT;
    return fromRef ? { why: fromReference(way, 'GOMEMLIMIT') } : { from: setting };
  };
}

/** @param limitBytes the new limit */
export function beginMemoryLimit(limitBytes: number): Begin {
  return (way) => {
    if (way.kind === 'Resize') {
      const objection = whyNotResize(way, limitBytes);
      return objection === undefined ? { from: way.limit } : { why: objection };
    }
    if (way.kind !== 'Rollout') return { why: 'A memory limit is not the process’s own.' };
    const { setting } = way.settings.MemoryLimit;
    const { kind, name } = way.owner;
    return setting === null
      ? { why: `${kind} ${name} sets no memory limit that could be changed.` }
      : { from: setting };
  };
}

export const beginRestart: Begin = (way) =>
  way.kind === 'Restart' ? { from: way.pod } : { why: 'Nothing is set: a pod is made anew by Restart alone.' };

function fromReference({ owner }: RolloutWay, knob: Knob): string {
  return `${knob} of ${owner.kind} ${owner.name} comes from a reference (valueFrom); change it there.`;
}
