/** Results of bench `shapes` for people. Pure. */
import { shapeRows } from '../control/table.ts';
import type { RobotOutcome, RobotShapeResult } from './compared.ts';
import type { ShapesResult } from './shapes.ts';

export function shapesTable({ shapes, held }: ShapesResult): string {
  return [
    ...shapes.flatMap(rowsOf),
    'Never worse than the best of the simple ones, within 10 % of the oracle, by more than chance; no OOM kill that a setting would have avoided: ' +
      (held ? 'held' : 'NOT HELD'),
  ].join('\n');
}

function rowsOf(result: RobotShapeResult): string[] {
  return [
    ...shapeRows(result).slice(0, -1),
    `  two of the same setting differ by ${result.twinSeconds} s, half of all were late at once in ${result.machineSeconds} s; robotgc: ${faultsOf(result.product)}`,
    ...result.told.map((sentence) => `  ${sentence}`),
    '',
  ];
}

const faultsOf = ({ faults: { away, late, gc } }: RobotOutcome): string =>
  `nobody served in ${away} s, late in ${late} s, the collector over its share in ${gc} s`;
