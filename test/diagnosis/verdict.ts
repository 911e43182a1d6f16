/** What the product makes of a recording: the incident's trigger, the causes it names, and what it would do. */
import type { Plan, SignalName } from '../../src/api/index.ts';
import { type Cause, diagnose, type Finding } from '../../src/diagnosis/index.ts';
import { deriveThresholds, evaluate, summarise } from '../../src/model/index.ts';
import { factsOfWindows, plan, type Way } from '../../src/remedy/index.ts';
import { causeOf, LABELS, type Label } from './fault.ts';
import type { Recording } from './recordings.ts';

export interface Verdict {
  /** The signal whose breach came first; undefined where none did, so that no incident would be opened. */
  readonly trigger: SignalName | undefined;
  readonly findings: readonly Finding[];
  /** Of the first finding, where there was a trigger; of all ways, none is missing and nothing stands against acting. */
  readonly plan: Plan | undefined;
}

export function verdictOf(recording: Recording): Verdict {
  const { windows, spec } = recording;
  const trigger = triggerOf(recording);
  const findings = diagnose({ windows, spec, thresholds: deriveThresholds(spec), trigger });
  const first = findings[0];
  return { trigger, findings, plan: trigger && first ? planFor(recording, trigger, first) : undefined };
}

/** As the agent finds it, window by window. */
export function triggerOf({ windows, spec }: Recording): SignalName | undefined {
  const thresholds = deriveThresholds(spec);
  for (const [index, { endedAt }] of windows.entries()) {
    const found = evaluate(windows.slice(0, index + 1), thresholds, new Date(endedAt));
    if (found.type === 'breach') return found.signal;
  }
  return undefined;
}

/** As if nothing but the diagnosis stood between the robot and a change: every way is at hand, and there is memory for all. */
export function planFor({ windows, spec }: Recording, signal: SignalName, diagnosis: Finding): Plan {
  const now = Date.parse(windows.at(-1)?.endedAt ?? '');
  const facts = factsOfWindows(windows, now);
  const memoryLimit = { ...spec.tuning.memoryLimit, max: '64Gi' };
  return plan(
    {
      spec: { ...spec, tuning: { ...spec.tuning, memoryLimit } },
      signal,
      diagnosis,
      summary: summarise(windows),
      ...facts,
      subject: 'Deployment robot',
      ways: [{ kind: 'Live' }, resizeWay(facts.memoryLimitBytes)],
      history: [],
      paused: false,
      killSwitch: false,
    },
    new Date(now),
  );
}

function resizeWay(limitBytes: number | null): Way {
  const container = { pod: 'robot', node: 'node', limitBytes, requestBytes: null, useBytes: null, restarts: false };
  return {
    kind: 'Resize',
    namespace: 'robots',
    container: 'robot',
    limit: limitBytes === null ? null : String(limitBytes),
    containers: [{ ...container, guaranteedOtherwise: false, podLevel: false }],
    rooms: [],
    caps: [],
    mayRestart: false,
  };
}

export function isRight({ label }: Recording, { findings }: Verdict): boolean {
  return findings[0]?.cause === causeOf(label);
}

/** Label → cause that was named first → how often. */
export function confusionOf(recordings: readonly Recording[]): ReadonlyMap<Label, ReadonlyMap<Cause | 'none', number>> {
  const rows = new Map<Label, Map<Cause | 'none', number>>();
  for (const recording of recordings) {
    const row = rows.get(recording.label) ?? new Map<Cause | 'none', number>();
    rows.set(recording.label, row);
    const cause = verdictOf(recording).findings[0]?.cause ?? 'none';
    row.set(cause, (row.get(cause) ?? 0) + 1);
  }
  return rows;
}

/** As Markdown: a row for each label, a column for each cause that was named. */
export function table(recordings: readonly Recording[]): string {
  const confusion = confusionOf(recordings);
  const columns = [...new Set([...confusion.values()].flatMap((row) => [...row.keys()]))];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const rows = LABELS.flatMap((label) => {
    const row = confusion.get(label);
    if (!row) return [];
    const runs = [...row.values()].reduce((sum, count) => sum + count, 0);
    const right = row.get(causeOf(label)) ?? 0;
    return [line([label, runs, ...columns.map((column) => row.get(column) ?? ''), `${right} of ${runs}`])];
  });
  const right = recordings.filter((recording) => isRight(recording, verdictOf(recording))).length;
  return [
    line(['label', 'runs', ...columns, 'right']),
    line(
      columns
        .concat(columns.slice(0, 0))
        .map(() => '---')
        .concat(['---', '---', '---']),
    ),
    ...rows,
    '',
    `Right first: ${right} of ${recordings.length} (${((100 * right) / Math.max(1, recordings.length)).toFixed(1)} %).`,
  ].join('\n');
}

export function verdictText(recording: Recording, verdict: Verdict): string {
  const { label, name, windows } = recording;
  const causes = verdict.findings.map(({ cause, confidence }) => `${cause} ${confidence}`).join(', ');
  const right = isRight(recording, verdict) ? 'ok ' : 'NOT';
  return `${right} ${label}: ${name}: ${causes || 'nothing'} (trigger ${verdict.trigger ?? 'none'}, ${windows.length} windows, plan ${verdict.plan?.kind ?? 'none'})`;
}

/** The same run as it was known at earlier moments: after each window, of minutes after each tenth one. */
export function earlier(recording: Recording): Recording[] {
  const { windows } = recording;
  const every = windows.length > 60 ? 10 : 1;
  return windows.flatMap((_, index) =>
    (index + 1) % every === 0 ? [{ ...recording, windows: windows.slice(0, index + 1) }] : [],
  );
}
