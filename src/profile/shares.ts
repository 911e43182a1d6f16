import { classOf, type FrameClass, gcClasses } from './frame-classes.ts';
import { type Frame, type Profile, ProfileError, type Sample } from './model.ts';

/** Sum of one sample type by class of stack; the unit is the sample type's. */
export function totalsByClass(profile: Profile, sampleType: string): Readonly<Record<FrameClass, number>> {
  const read = valueReader(profile, sampleType);
  const totals = { mark: 0, assist: 0, sweep: 0, scavenge: 0, control: 0, 'write-barrier': 0, allocate: 0, other: 0 };
  for (const sample of profile.samples) totals[classOf(sample.stack)] += read(sample);
  return totals;
}

/**
 * Share of the CPU time in a CPU profile that the garbage collector took, 0 to 1: (mark + assist + sweep + scavenge + control +
 * write barrier) / all. 0 for an empty profile. Idle-priority mark workers count, though they take only time nobody wanted.
 */
export function gcShareOfCpu(profile: Profile): number {
  const totals = totalsByClass(profile, 'cpu');
  let gc = 0;
  let all = 0;
  for (const [name, value] of entriesOf(totals)) {
    all += value;
    if (gcClasses.has(name)) gc += value;
  }
  return all === 0 ? 0 : gc / all;
}

export interface FunctionTotal {
  readonly function: string;
  /** In the function itself. */
  readonly flat: number;
  /** In it and in what it called; counted once a sample, also in recursion. */
  readonly cumulative: number;
}

/**
 * Functions by flat value of a sample type, largest first, as `go tool pprof -top` lists them. With `alloc_space` of an allocs
 * profile these are the top allocating functions.
 */
export function topFunctions(profile: Profile, sampleType: string, count = 20): FunctionTotal[] {
  const read = valueReader(profile, sampleType);
  const totals = new Map<string, { flat: number; cumulative: number }>();
  const at = (name: string) => {
    const found = totals.get(name) ?? { flat: 0, cumulative: 0 };
    totals.set(name, found);
    return found;
  };
  for (const sample of profile.samples) {
    const value = read(sample);
    const leaf = sample.stack[0];
    if (leaf) at(leaf.function).flat += value;
    for (const name of new Set(sample.stack.map((frame: Frame) => frame.function))) at(name).cumulative += value;
  }
  const rows = [...totals].map(([name, total]) => ({ function: name, ...total }));
  rows.sort((a, b) => b.flat - a.flat || b.cumulative - a.cumulative || (a.function < b.function ? -1 : 1));
  return rows.slice(0, count);
}

/** @throws ProfileError `no-such-type` */
function valueReader(profile: Profile, sampleType: string): (sample: Sample) => number {
  const index = profile.sampleTypes.findIndex(({ type }) => type === sampleType);
  if (index === -1) {
    const present = profile.sampleTypes.map(({ type }) => type).join(', ');
    throw new ProfileError('no-such-type', `the profile has no ${sampleType}, only ${present}`);
  }
  return (sample) => sample.values[index] ?? 0;
}

function entriesOf(totals: Readonly<Record<FrameClass, number>>): [FrameClass, number][] {
  const classes: FrameClass[] = [
    'mark',
    'assist',
    'sweep',
    'scavenge',
    'control',
    'write-barrier',
    'allocate',
    'other',
  ];
  return classes.map((name) => [name, totals[name]]);
}
