/** A reporter for vitest that leaves a tally in the file that ROBOTGC_TALLY names, and tells which test files took longest. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { type Failure, none, type Tally } from './tally.ts';

export default class VitestTally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.ROBOTGC_TALLY;
    if (file === undefined) throw new Error('ROBOTGC_TALLY names no file: this reporter is for `npm test`');
    const outside = unhandled.map((error) => ({ name: 'outside any test', why: words([error]) }));
    writeFileSync(file, JSON.stringify({ ...tally(modules), failures: [...failures(modules), ...outside] }));
    for (const line of slowest(modules)) console.log(line);
  }
}

function tally(modules: readonly TestModule[]): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (...states: string[]) => tests.filter((test) => states.includes(test.result().state));
  return {
    ...none,
    passed: inState('passed').length,
    skippedNames: inState('skipped', 'pending').map((test) => test.fullName),
    secondTries: inState('passed').flatMap((test) =>
      test.diagnostic()?.flaky ? [{ name: test.fullName, why: words(test.result().errors ?? []) }] : [],
    ),
  };
}

/** Failed tests, files that could not be loaded, and suites whose preparation or tidying failed. */
function failures(modules: readonly TestModule[]): Failure[] {
  return modules.flatMap((module) => {
    const named = (name: string, errors: readonly SerializedError[] | undefined) =>
      errors === undefined || errors.length === 0
        ? []
        : [{ name: `${module.relativeModuleId} ${name}`.trim(), why: words(errors) }];
    return [
      ...named('', module.errors()),
      ...[...module.children.allSuites()].flatMap((suite) => named(suite.fullName, suite.errors())),
      ...[...module.children.allTests('failed')].flatMap((test) => named(test.fullName, test.result().errors)),
    ];
  });
}

function words(errors: readonly SerializedError[]): string {
  return errors.map(({ message, stack }) => [message, ownFrame(stack)].filter(Boolean).join('\n')).join('\n');
}

function ownFrame(stack: string | undefined): string | undefined {
  return stack
    ?.split('\n')
    .find((line) => line.trimStart().startsWith('at ') && !line.includes('node_modules'))
    ?.trim();
}

function slowest(modules: readonly TestModule[]): string[] {
  return modules
    .map((module) => ({ name: module.relativeModuleId, ms: module.diagnostic().duration }))
    .filter(({ ms }) => ms >= 10_000)
    .sort((a, b) => b.ms - a.ms)
    .map(({ name, ms }) => `${(ms / 1000).toFixed(0).padStart(6)} s  ${name}`);
}
