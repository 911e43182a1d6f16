/** The report of `go test -json`. */
import { z } from 'zod';
import { none, type Tally } from './tally.ts';

const GoEvent = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
});

/** One event a line; a package that fails without a failing test (it did not build) counts as one failure. */
export function readGo(text: string): Tally {
  const events = text.split('\n').flatMap((line) => (line.startsWith('{') ? [GoEvent.parse(JSON.parse(line))] : []));
  const tests = (action: string) => events.filter((event) => event.Action === action && event.Test !== undefined);
  const broken = events.filter(
    ({ Action, Test, Package }) =>
      Action === 'fail' && Test === undefined && !tests('fail').some((event) => event.Package === Package),
  );
  const said = ({ Package, Test }: z.infer<typeof GoEvent>) =>
    events
      .filter((event) => event.Action === 'output' && event.Package === Package && event.Test === Test)
      .map((event) => event.Output ?? '')
      .join('');
  const name = ({ Package, Test }: z.infer<typeof GoEvent>) => [Package, Test].filter(Boolean).join(' ');
  return {
    ...none,
    passed: tests('pass').length,
    failures: [...tests('fail'), ...broken].map((event) => ({ name: name(event), why: said(event) })),
    skippedNames: tests('skip').map(name),
  };
}
