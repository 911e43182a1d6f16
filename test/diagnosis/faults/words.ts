/** Pieces that the descriptions of faults are put together from. */
import type { Beside, Fault, Label } from '../fault.ts';

export function labelled(label: Label, runs: readonly Omit<Fault, 'label'>[]): readonly Fault[] {
  return runs.map((run) => ({ label, ...run }));
}

export interface Load {
  /** -1 = off. */
  readonly gogc: number;
  readonly goMemLimit?: string;
  /** 10,000 sessions, 72 MB/s: see test/robots/README.md. What is named beside it overrides it. */
  readonly profile?: 'demo';
  readonly mode?: 'message' | 'state' | 'timer';
  readonly sessions?: number;
  /** A second. */
  readonly messages?: number;
  /** A second. */
  readonly transitions?: number;
  readonly busCycleMs?: number;
  readonly leakBytesPerSecond?: number;
}

const FLAGS = [
  ['profile', '-profile'],
  ['mode', '-mode'],
  ['sessions', '-sessions'],
  ['messages', '-messages-per-second'],
  ['transitions', '-transitions-per-second'],
  ['leakBytesPerSecond', '-leak-bytes-per-second'],
] as const satisfies readonly (readonly [keyof Load, string])[];

export function load({ gogc, goMemLimit, busCycleMs, ...flags }: Load): Fault['robot'] {
  const args = FLAGS.flatMap(([name, flag]) => (flags[name] === undefined ? [] : [flag, String(flags[name])]));
  return {
    gogc,
    args: busCycleMs === undefined ? args : [...args, '-bus-cycle', `${busCycleMs}ms`],
    ...(goMemLimit === undefined ? {} : { goMemLimit }),
  };
}

/** On the same node, as much as it can get of so many cores. */
export function busyNeighbour(cores: number): Beside {
  return { companion: { does: 'spin' }, where: 'node', limits: { cpuCores: cores } };
}

/** Another process of the container waits for a peer that is slow to shake hands, or does not answer a connection. */
export function slowPeers(does: 'dial' | 'shake', pause: string): Beside {
  return { companion: { does, pause }, where: 'container' };
}
