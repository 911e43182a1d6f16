/**
 * An incident's life as a table: which phase follows on which event. What the table does not hold cannot be written
 * (`nextPhase` does not compile) and is refused at run time (`transition`).
 */
import type { Phase } from '../api/index.ts';

const TABLE = {
  Detected: { captured: 'Captured', captureLost: 'Escalated' },
  Captured: { diagnosed: 'Diagnosed', unexplained: 'Escalated' },
  Diagnosed: { act: 'Acting', recommend: 'Observed', noRemedy: 'Escalated' },
  // A rollback is an action too: it is carried out in the same phase, and ends the incident.
  // `kept`: what was verified is in the template too, or cannot be.
  // `nextWay`: a way was refused with nothing changed, and the policy names another.
  Acting: {
    applied: 'Verifying',
    nextWay: 'Acting',
    rollBack: 'Acting',
    rolledBack: 'RolledBack',
    switchedOff: 'Observed',
    failed: 'Escalated',
    kept: 'Resolved',
  },
  // `stepFurther`: the action went the right way, but the step limit kept it short of its target.
  Verifying: { better: 'Resolved', persist: 'Acting', rollBack: 'Acting', stepFurther: 'Acting', giveUp: 'Escalated' },
  Resolved: {},
  RolledBack: {},
  Escalated: {},
  // A person approved what was recommended.
  Observed: { approve: 'Acting' },
} as const satisfies Readonly<Record<Phase, Readonly<Record<string, Phase>>>>;

type Table = typeof TABLE;

/** Events that may happen in a phase; `never` in a final one. */
export type EventOf<P extends Phase> = keyof Table[P] & string;
export type IncidentEvent = { [P in Phase]: EventOf<P> }[Phase];

export function nextPhase<P extends Phase, E extends EventOf<P>>(phase: P, event: E): Table[P][E] {
  return TABLE[phase][event];
}

export class IllegalTransitionError extends Error {
  override readonly name = 'IllegalTransitionError';
  readonly code = 'IllegalTransition';
  readonly phase: Phase;
  readonly event: string;

  constructor(phase: Phase, event: string) {
    const allowed = Object.keys(TABLE[phase]);
    super(
      `incident in phase ${phase} cannot take "${event}"; ` +
        (allowed.length > 0
          ? `possible are ${allowed.join(', ')}`
          : 'the phase is final, a new breach opens a new incident'),
    );
    this.phase = phase;
    this.event = event;
  }
}

/**
 * As `nextPhase` for events that are known at run time only.
 * @throws IllegalTransitionError
 */
export function transition(phase: Phase, event: IncidentEvent): Phase {
  const row: Readonly<Partial<Record<IncidentEvent, Phase>>> = TABLE[phase];
  const next = Object.hasOwn(row, event) ? row[event] : undefined;
  if (next === undefined) throw new IllegalTransitionError(phase, event);
  return next;
}

/** Phases that can follow directly. */
export function successors(phase: Phase): readonly Phase[] {
  return [...new Set(Object.values<Phase>(TABLE[phase]))];
}
