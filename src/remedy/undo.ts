/** Which changes of an incident stand, and in which order they go back. Pure; actions are those of one incident, oldest first. */
import type { ActionRecord } from '../api/index.ts';

/** Taken up, and not undone since. */
export function standing(actions: readonly ActionRecord[]): ActionRecord[] {
  return actions.filter((change, at) => {
    if (change.kind === 'Rollback' || change.result === 'Failed') return false;
    return !actions.slice(at + 1).some((later) => isDone(later) && undoes(later, change) && !withdraws(actions, later));
  });
}

/**
 * The knobs in the reverse order in which they were first touched: what room was made for goes back before the room, so that nothing is ever
 * without it. All steps of one knob go back at once, so the last of them is the one to undo.
 */
export function nextToUndo(actions: readonly ActionRecord[]): ActionRecord | undefined {
  const changes = standing(actions);
  const first = changes.findLast((change, at) => changes.findIndex((each) => isSameKnob(each, change)) === at);
  return first && changes.findLast((each) => isSameKnob(each, first));
}

/** To before which a change goes back: the first of its knob's steps that stand. Of one that was refused, its own trace alone goes. */
export function firstStepOf(actions: readonly ActionRecord[], change: ActionRecord): ActionRecord {
  if (change.result === 'Failed') return change;
  return standing(actions).find((each) => isSameKnob(each, change)) ?? change;
}

/** A rollback that only takes away the trace of a change that was refused: nothing had come into effect, or nothing of use. */
export function withdraws(actions: readonly ActionRecord[], rollback: ActionRecord): boolean {
  const before = actions.slice(0, actions.indexOf(rollback));
  const last = before.findLast(
    ({ kind, undoes: way, knob }) => (way ?? kind) === rollback.undoes && knob === rollback.knob,
  );
  return last?.kind !== 'Rollback' && last?.result === 'Failed' && last.after === rollback.before;
}

function isDone({ kind, result }: ActionRecord): boolean {
  return kind === 'Rollback' && result === 'Completed';
}

function undoes(rollback: ActionRecord, { kind, knob }: ActionRecord): boolean {
  return kind === rollback.undoes && knob === rollback.knob;
}

function isSameKnob(one: ActionRecord, other: ActionRecord): boolean {
  return one.kind === other.kind && one.knob === other.knob;
}
