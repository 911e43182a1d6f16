/** The signals that a policy sets a limit for of its own accord, as rows of `explain`. */
import type { FurtherSignal, PolicySpec } from '../api/index.ts';
import type { ThresholdRow } from './explain.ts';
import { furtherLimits } from './further-limits.ts';
import { FURTHER_CHECKS } from './further-signals.ts';

export function explainFurther({ thresholds: own }: PolicySpec): ThresholdRow[] {
  const limits = furtherLimits(own);
  const { windows, of } = own.breach;
  return FURTHER_CHECKS.flatMap(({ signal, unit, formula, note, summed }) => {
    const limit = limits[signal];
    if (limit === undefined) return [];
    const breach = summed ? `all of ${of} one-second windows together` : `${windows} of ${of} one-second windows`;
    return [
      {
        signal,
        limit,
        unit,
        formula,
        inputs: { [signal]: String(own[signal]), breach },
        enforced: true,
        ...(note === undefined ? {} : { note }),
      },
    ];
  });
}

/** What the policy could set a limit for and does not. */
export function unsetSignals({ thresholds: own }: PolicySpec): FurtherSignal[] {
  const limits = furtherLimits(own);
  return FURTHER_CHECKS.map(({ signal }) => signal).filter((signal) => limits[signal] === undefined);
}
