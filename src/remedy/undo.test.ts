import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActionRecord, type Knob, knobOf } from '../api/index.ts';
import { firstStepOf, nextToUndo, standing, withdraws } from './undo.ts';

const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
let second = 0;
function change(knob: Knob, before: string, after: string, result: ActionRecord['result'] = 'Completed'): ActionRecord {
  const at = new Date(Date.UTC(2026, 0, 1) + 1000 * second++).toISOString();
  const kind = knob === 'MemoryLimit' ? ('Resize' as const) : ('Live' as const);
  return { kind, owner, container: 'robot', knob, before, after, at, result };
}
function back(of: ActionRecord, after: string, result: ActionRecord['result'] = 'Completed'): ActionRecord {
  const { kind: undoes, ...same } = change(knobOf(of.knob), of.after ?? '', after, result);
  return { ...same, kind: 'Rollback', ...(undoes === 'Rollback' ? {} : { undoes }) };
}

describe('several changes of one incident', () => {
  const [limit, gogc] = [change('MemoryLimit', '128Mi', '160Mi'), change('GOGC', '50', '100')];

  it('go back one after the other, what room was made for before the room', () => {
    expect(nextToUndo([limit, gogc])).toBe(gogc);
    const half = [limit, gogc, back(gogc, '50')];
    expect(nextToUndo(half)).toBe(limit);
    expect(nextToUndo([...half, back(limit, '128Mi')])).toBeUndefined();
  });

  it('go back the other way where GOMEMLIMIT was lowered before the limit', () => {
    const [lower, smaller] = [change('GOMEMLIMIT', '200', '100'), change('MemoryLimit', '256Mi', '128Mi')];
    expect(nextToUndo([lower, smaller])).toBe(smaller);
  });

  it('of one knob go back at once, to the value before the first, whatever came between', () => {
    const [more, higher] = [change('MemoryLimit', '160Mi', '200Mi'), change('GOGC', '100', '150')];
    const steps = [limit, gogc, more, higher];
    expect(nextToUndo(steps)).toBe(higher);
    expect(firstStepOf(steps, higher).before).toBe('50');
    const half = [...steps, back(higher, '50')];
    expect(nextToUndo(half)).toBe(more);
    expect(firstStepOf(half, more).before).toBe('128Mi');
  });

  it('stand while a later one was refused and only its own trace was taken away', () => {
    const refused = change('MemoryLimit', '160Mi', '200Mi', 'Failed');
    const withdrawn = back(refused, firstStepOf([limit, gogc, refused], refused).before ?? '');
    expect(withdrawn.after).toBe('160Mi');
    const records = [limit, gogc, refused, withdrawn];
    expect(withdraws(records, withdrawn)).toBe(true);
    expect(standing(records)).toEqual([limit, gogc]);
  });

  it('stand while their way back is not done', () => {
    expect(standing([limit, back(limit, '128Mi', 'Applied')])).toEqual([limit]);
  });
});

it('whatever was changed and refused, undoing what is next again and again restores every knob, and nothing is left', () => {
  const steps = fc.array(
    fc.record({
      knob: fc.constantFrom<Knob>('GOGC', 'GOMEMLIMIT', 'MemoryLimit'),
      to: fc.integer({ min: 1, max: 999 }),
      refused: fc.boolean(),
      hadBegun: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const start: Record<Knob, string> = { GOGC: '50', GOMEMLIMIT: '60', MemoryLimit: '70' };
      const world = { ...start };
      const records: ActionRecord[] = [];
      for (const { knob, to, refused, hadBegun } of all) {
        if (world[knob] === String(to)) continue;
        const step = change(knob, world[knob], String(to), refused ? 'Failed' : 'Completed');
        records.push(step);
        if (refused && hadBegun) records.push(back(step, firstStepOf(records, step).before ?? ''));
        if (!refused) world[knob] = String(to);
      }
      const order = [...new Set(standing(records).map(({ knob }) => knob))];
      const undone: Knob[] = [];
      for (let due = nextToUndo(records); due; due = nextToUndo(records)) {
        const knob = knobOf(due.knob);
        expect(due.after).toBe(world[knob]);
        const rollback = back(due, firstStepOf(records, due).before ?? '');
        records.push(rollback);
        expect(withdraws(records, rollback)).toBe(false);
        world[knob] = rollback.after ?? '';
        undone.push(knob);
      }
      expect(world).toEqual(start);
      expect(undone).toEqual(order.toReversed());
    }),
    { numRuns: 5000 },
  );
});
