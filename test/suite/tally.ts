/** What the parts of the test run report, in one form. */
import { z } from 'zod';

const Failure = z.object({ name: z.string(), why: z.string() });
export type Failure = z.infer<typeof Failure>;

export const Tally = z.object({
  passed: z.int(),
  /** A suite whose preparation failed counts as one: its tests are then among the skipped. */
  failures: z.array(Failure),
  /** Names of what was skipped: nothing is left out in silence. */
  skippedNames: z.array(z.string()),
  /** What failed and then passed when it was run again: why it failed first. */
  secondTries: z.array(Failure),
});
export type Tally = z.infer<typeof Tally>;

export const none: Tally = { passed: 0, failures: [], skippedNames: [], secondTries: [] };

export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failures: [...a.failures, ...b.failures],
    skippedNames: [...a.skippedNames, ...b.skippedNames],
    secondTries: [...a.secondTries, ...b.secondTries],
  };
}

export function closingLine({ passed, failures, skippedNames, secondTries }: Tally): string {
  const more = (count: number, what: string) => (count > 0 ? `, ${count} ${what}` : '');
  const rest =
    more(skippedNames.length, 'skipped') + more(secondTries.length, 'of those that passed at the second try');
  return `${passed} passed, ${failures.length} failed${rest}`;
}

/** A part that either holds or does not, such as a lint. */
export function oneCheck(name: string, why: string | undefined): Tally {
  return why === undefined ? { ...none, passed: 1 } : { ...none, failures: [{ name, why }] };
}
