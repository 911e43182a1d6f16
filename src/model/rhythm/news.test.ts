import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rhythm } from './classify.ts';
import { type KnownRhythm, withLook } from './news.ts';

const timer: Rhythm = { kind: 'timer', periodMs: 100, confidence: 0.8, reason: 'synthetic' };
const unknown: Rhythm = { kind: 'unknown', confidence: 0, reason: 'synthetic' };
const message: Rhythm = { kind: 'message', confidence: 0.9, reason: 'synthetic' };

function told(looks: readonly Rhythm[]): Rhythm[] {
  let known: KnownRhythm | null = null;
  const news: Rhythm[] = [];
  for (const look of looks) {
    const step = withLook(known, look);
    known = step.known;
    if (step.isNews) news.push(known.rhythm);
  }
  return news;
}

describe('news of a rhythm', () => {
  it.each([
    { what: 'the first look', looks: [unknown], news: [unknown] },
    { what: 'another kind', looks: [timer, message], news: [timer, message] },
    { what: 'another period', looks: [timer, { ...timer, periodMs: 120 }], news: [timer, { ...timer, periodMs: 120 }] },
    { what: 'not a period that is nearly the same', looks: [timer, { ...timer, periodMs: 104 }], news: [timer] },
    { what: 'not a little doubt', looks: [timer, { ...timer, confidence: 0.7 }], news: [timer] },
    { what: 'much doubt', looks: [timer, { ...timer, confidence: 0.5 }], news: [timer, { ...timer, confidence: 0.5 }] },
    { what: 'not a quiet moment', looks: [timer, unknown, timer, unknown, unknown], news: [timer] },
    { what: 'lasting quiet', looks: [timer, unknown, unknown, unknown, unknown], news: [timer, unknown] },
    { what: 'not that there is still none', looks: [unknown, { ...unknown, reason: 'other' }], news: [unknown] },
    { what: 'a rhythm at last', looks: [unknown, timer], news: [unknown, timer] },
  ])('is $what', ({ looks, news }) => expect(told(looks)).toEqual(news));

  it('never comes oftener than looks, and not at all when nothing changes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(timer, unknown, message), { minLength: 1, maxLength: 40 }), (looks) => {
        expect(told(looks).length).toBeLessThanOrEqual(looks.length);
        expect(told(looks.map(() => looks[0] ?? timer))).toHaveLength(1);
      }),
    );
  });
});
