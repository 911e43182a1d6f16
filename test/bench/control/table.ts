/** Results of bench `control` for people. Pure. */
import type { MeanOutcome, ShapeResult } from './compare.ts';
import type { CalibrationResult, ControlResult } from './control.ts';
import type { Figures } from './real.ts';

export function controlTable({ seeds, shapes, held }: ControlResult): string {
  return [
    ...shapes.flatMap(shapeRows),
    `${seeds} seeds each. Never worse than the best of the simple ones, within 10 % of the oracle, no OOM kill that a setting would have avoided: ` +
      (held ? 'held' : 'NOT HELD'),
  ].join('\n');
}

export function calibrationTable({ calibrations, error }: CalibrationResult): string {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return [
    row(['robot / model', 'GOGC', 'cycles/s', 'model', 'GC CPU', 'model', 'peak MiB', 'model']),
    ...calibrations.map(({ shape, gogc, robot, model }) => row([shape, String(gogc), ...figurePairs(robot, model)])),
    `the model is off by ${percent(error.cyclesPerSecond)} of the cycles, ${error.gcCpuSharePoints.toFixed(1)} points of GC CPU and ${percent(error.peakBytes)} of the peak (medians)`,
  ].join('\n');
}

function figurePairs(robot: Figures, model: Figures): string[] {
  return [
    ...[robot, model].map(({ cyclesPerSecond }) => cyclesPerSecond.toFixed(2)),
    ...[robot, model].map(({ gcCpuShare }) => `${(100 * gcCpuShare).toFixed(1)} %`),
    ...[robot, model].map(({ peakBytes }) => String(Math.round(peakBytes / 2 ** 20))),
  ];
}

export function shapeRows({
  shape,
  seconds,
  product,
  simple,
  oracle,
  leastStaticKills,
  ...aims
}: ShapeResult): string[] {
  const best = Math.min(...simple.map(({ violatingSeconds }) => violatingSeconds));
  const verdicts = [
    verdict(aims.isNeverWorse, `best of the simple ones ${whole(best)} s`),
    verdict(aims.isNearOracle, `oracle ${whole(oracle.violatingSeconds)} s`),
    verdict(aims.isSafe, `kills ${whole(leastStaticKills)} with the safest setting`),
  ];
  return [
    row([`${shape} (${seconds} s)`, 'violating', 'GC CPU', 'peak', 'actions', 'kills']),
    ...[product, ...simple].map(outcomeRow),
    outcomeRow({ ...oracle, controller: `oracle: ${oracle.controller}` }),
    `  robotgc ${whole(product.violatingSeconds)} s: ${verdicts.join('; ')}`,
    '',
  ];
}

const verdict = (isKept: boolean, against: string): string => `${isKept ? 'ok' : 'WORSE'} against ${against}`;

function outcomeRow({ controller, violatingSeconds, gcCpuShare, peakBytes, actions, oomKills }: MeanOutcome): string {
  return row([
    `  ${controller}`,
    `${whole(violatingSeconds)} s`,
    `${(100 * gcCpuShare).toFixed(2)} %`,
    `${Math.round(peakBytes / 2 ** 20)} MiB`,
    whole(actions),
    whole(oomKills),
  ]);
}

const whole = (value: number): string => String(Number(value.toFixed(1)));

const row = ([first = '', ...rest]: readonly string[]): string =>
  first.padEnd(40) + rest.map((cell) => cell.padStart(11)).join('');
