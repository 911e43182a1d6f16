/** What came of one shape on the cluster, as the simulator's is compared; only that chance counts for nothing. Pure. */
import { compare, type ShapeResult } from '../control/compare.ts';
import type { Outcome } from '../control/run.ts';
import { PRODUCT, TWIN, TWIN_OF } from './candidates.ts';
import type { ContenderRun, ShapeRun } from './run.ts';
import { FAULTS, type Fault } from './yardstick.ts';

export interface RobotOutcome extends Outcome {
  /** Of the violating seconds, how many for which fault. */
  readonly faults: Readonly<Record<Fault, number>>;
  /** A letter a second: `a`way, `l`ate, `g`c, or a dot. */
  readonly course: string;
}

export interface RobotShapeResult extends ShapeResult<RobotOutcome> {
  /** By so many seconds two robots differ that are set the same. */
  readonly twinSeconds: number;
  /** In which at least half of the robots were late at the same time: the machine stood still. Whom of them it meets is chance. */
  readonly machineSeconds: number;
  /** What the product did. */
  readonly told: readonly string[];
}

export function compared(name: string, seconds: number, { contenders, told }: ShapeRun): RobotShapeResult {
  const outcomes = contenders.map((run) => ({ run, outcome: outcomeOf(run) }));
  const of = (kind: 'simple' | 'fixed'): RobotOutcome[] =>
    outcomes.flatMap(({ run, outcome }) => (run.contender.kinds.includes(kind) ? [outcome] : []));
  const by = (id: string): RobotOutcome => {
    const found = outcomes.find(({ run }) => run.contender.id === id);
    if (!found) throw new Error(`${id} did not run`);
    return found.outcome;
  };
  const twinSeconds = Math.abs(by(TWIN.id).violatingSeconds - by(TWIN_OF.id).violatingSeconds);
  const machineSeconds = secondsOfMachine(contenders.map(({ faults }) => faults));
  const chanceSeconds = Math.max(twinSeconds, machineSeconds);
  const comparison = compare({ name, seconds }, by(PRODUCT.id), of('simple'), of('fixed'), chanceSeconds);
  return { ...comparison, twinSeconds, machineSeconds, told };
}

/** @param courses of all robots, of equal length */
export function secondsOfMachine(courses: readonly (readonly (Fault | null)[])[]): number {
  const seconds = courses[0]?.keys() ?? [];
  const late = (second: number): number => courses.filter((course) => course[second] === 'late').length;
  return [...seconds].filter((second) => late(second) >= courses.length / 2).length;
}

function outcomeOf({ contender, faults, gcCpuShare, peakBytes, actions, oomKills }: ContenderRun): RobotOutcome {
  const count = (fault: Fault): number => faults.filter((each) => each === fault).length;
  return {
    controller: contender.title,
    violatingSeconds: faults.filter((fault) => fault !== null).length,
    faults: { away: count(FAULTS[0]), late: count(FAULTS[1]), gc: count(FAULTS[2]) },
    course: faults.map((fault) => fault?.[0] ?? '·').join(''),
    ...{ gcCpuShare, peakBytes, actions, oomKills },
  };
}
