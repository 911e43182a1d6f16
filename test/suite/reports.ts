/** Readers of the reports that test runners write. */
import { z } from 'zod';
import { add, none, type Tally } from './tally.ts';

const VitestReport = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

/** A file that could not even be loaded counts as one failure. */
export function readVitest(text: string): Tally {
  const { testResults } = VitestReport.parse(JSON.parse(text));
  return testResults.map(ofFile).reduce(add, none);
}

function ofFile({ status, assertionResults }: z.infer<typeof VitestReport>['testResults'][number]): Tally {
  const inState = (state: string) => assertionResults.filter((test) => test.status === state);
  const skipped = assertionResults.filter((test) => !['passed', 'failed'].includes(test.status));
  const failed = inState('failed').length;
  return {
    passed: inState('passed').length,
    failed: status === 'failed' && failed === 0 ? 1 : failed,
    skipped: skipped.length,
    skippedNames: skipped.map((test) => test.fullName),
  };
}

const GoEvent = z.object({ Action: z.string(), Package: z.string().optional(), Test: z.string().optional() });

/** `go test -json`: one event a line; a package that fails without a failing test (it did not build) counts as one failure. */
export function readGo(text: string): Tally {
  const events = text.split('\n').flatMap((line) => (line.startsWith('{') ? [GoEvent.parse(JSON.parse(line))] : []));
  const tests = (action: string) => events.filter((event) => event.Action === action && event.Test !== undefined);
  const broken = events.filter(
    ({ Action, Test, Package }) =>
      Action === 'fail' && Test === undefined && !tests('fail').some((event) => event.Package === Package),
  );
  return {
    passed: tests('pass').length,
    failed: tests('fail').length + broken.length,
    skipped: tests('skip').length,
    skippedNames: tests('skip').map(({ Package, Test }) => `${Package} ${Test}`),
  };
}
