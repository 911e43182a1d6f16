import { classifyRhythm, type RhythmKind } from '../classify.ts';
import type { AllocationSeries } from '../series.ts';

export type Confusion = ReadonlyMap<RhythmKind, ReadonlyMap<RhythmKind, number>>;

/** True kind → kind found → how often. */
export function confusionOf(
  cases: readonly { readonly kind: RhythmKind; readonly series: AllocationSeries }[],
): Confusion {
  const table = new Map<RhythmKind, Map<RhythmKind, number>>();
  for (const { kind, series } of cases) {
    const row = table.get(kind) ?? new Map<RhythmKind, number>();
    table.set(kind, row);
    const found = classifyRhythm(series).kind;
    row.set(found, (row.get(found) ?? 0) + 1);
  }
  return table;
}

export function confusionText(table: Confusion): string {
  return [...table]
    .map(([kind, row]) => `${kind}: ${[...row].map(([found, count]) => `${found} ${count}`).join(', ')}`)
    .join('\n');
}
