/** What the parts of the test run report, in one form. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of what was skipped: nothing is left out in silence. */
  readonly skippedNames: readonly string[];
}

export const none: Tally = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };

export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    skippedNames: [...a.skippedNames, ...b.skippedNames],
  };
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A part that either holds or does not, such as a lint. */
export function oneCheck(passed: boolean): Tally {
  return { ...none, passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}
