/** Results as a table for people. Pure. */
import type { ComparedBucket } from './buckets.ts';
import type { CalibrationResult, ControlResult } from './control/control.ts';
import { calibrationTable, controlTable } from './control/table.ts';
import type { EffectResult } from './effect.ts';
import type { FirstEventResult } from './first-event.ts';
import type { FootprintResult } from './footprint.ts';
import type { LossResult } from './loss.ts';
import type { Observed } from './overhead.ts';
import type { PausesResult } from './pauses.ts';
import type { OverheadResult } from './probe-overhead.ts';
import type { ScaleResult } from './scale.ts';
import type { ShapesResult } from './shapes/shapes.ts';
import { shapesTable } from './shapes/table.ts';
import type { Span } from './spans.ts';
import type { Estimate, Verdict } from './statistics.ts';

export type BenchResult =
  | PausesResult
  | OverheadResult
  | FootprintResult
  | ScaleResult
  | LossResult
  | FirstEventResult
  | EffectResult
  | ControlResult
  | CalibrationResult
  | ShapesResult;

export function table(result: BenchResult): string {
  switch (result.bench) {
    case 'pauses':
      return pausesTable(result);
    case 'probe-overhead':
      return overheadTable(result);
    case 'footprint':
      return footprintTable(result);
    case 'scale':
      return scaleTable(result);
    case 'loss':
      return lossTable(result);
    case 'first-event':
      return spansTable(result);
    case 'effect':
      return effectTable(result);
    case 'control':
      return controlTable(result);
    case 'control-real':
      return calibrationTable(result);
    case 'shapes':
      return shapesTable(result);
  }
}

function pausesTable(r: PausesResult): string {
  const verdict = r.equal ? 'equal in every bucket' : 'NOT EQUAL';
  return [
    `${r.goVersion}, GOGC=${r.gogc}, ${r.seconds} s: ${r.pauses.runtime} pauses in ${r.cycles.runtime} cycles by the runtime, ` +
      `${r.pauses.probe} in ${r.cycles.probe} by the probe, ${r.lostEvents} events lost: ${verdict}`,
    ...bucketRows('total', r.total),
    ...bucketRows('stopping', r.stopping),
  ].join('\n');
}

function bucketRows(title: string, buckets: readonly ComparedBucket[]): string[] {
  return [
    columns([title, 'from', 'to', 'runtime', 'probe', '']),
    ...buckets.map(({ fromNs, toNs, runtime, probe }) =>
      columns([
        '',
        span(fromNs),
        toNs === null ? '∞' : span(toNs),
        String(runtime),
        String(probe),
        runtime === probe ? '' : '≠',
      ]),
    ),
  ];
}

function overheadTable(r: OverheadResult): string {
  const told = ({ cores, cyclesSeen, assistStallsSeen, lostEvents }: Observed): string[] => [
    `${(100 * cores).toFixed(1)} %`,
    `${cyclesSeen}/${assistStallsSeen}`,
    String(lostEvents),
  ];
  const lines: string[] = [];
  if (r.throughput) {
    lines.push(
      `saturated, GOGC=${r.gogc}, ${r.throughput.rounds} rounds of 2 × ${r.throughput.seconds} s each; ratios with 95 % intervals`,
    );
    lines.push(wide(['observed by', 'events/s', 'ratio', 'per CPU second', 'observer CPU', 'cycles/assists', 'lost']));
    for (const { condition, eventsPerSecond, eventsPerSecondRatio, eventsPerCpuSecondRatio, observed } of r.throughput
      .compared) {
      const rate = String(Math.round(eventsPerSecond));
      lines.push(
        wide([condition, rate, ratio(eventsPerSecondRatio), ratio(eventsPerCpuSecondRatio), ...told(observed)]),
      );
    }
  }
  if (r.latency) {
    lines.push(
      `open loop, GOGC=${r.gogc}, ${r.latency.rounds} rounds of 2 × ${r.latency.seconds} s each; latency from when an event was due`,
    );
    lines.push(
      wide(['observed by', 'events/s', 'P50', 'P99', 'P99 ratio', 'observer CPU', 'cycles/assists', 'lost', 'shed']),
    );
    for (const { condition, eventsPerSecond, p50Ns, p99Ns, p99Ratio, dropped, observed } of r.latency.compared) {
      const rate = String(Math.round(eventsPerSecond));
      const latency = [span(p50Ns), span(p99Ns), ratio(p99Ratio)];
      lines.push(wide([condition, rate, ...latency, ...told(observed), String(dropped)]));
    }
  }
  if (r.verdict) lines.push(`throughput at least ${r.leastThroughputRatio} of unobserved: ${verdicts[r.verdict]}`);
  return lines.join('\n');
}

const verdicts: Readonly<Record<Verdict, string>> = {
  held: 'held',
  missed: 'MISSED',
  inconclusive: 'INCONCLUSIVE: the interval holds both answers; more --rounds, or a quieter machine',
};

const ratio = ({ value, low, high }: Estimate): string =>
  low === high ? value.toFixed(4) : `${value.toFixed(4)} (${low.toFixed(4)}–${high.toFixed(4)})`;

function footprintTable(r: FootprintResult): string {
  return [
    columns(['process', 'program', 'cores', 'RSS', 'PSS', 'max RSS']),
    ...r.processes.map((p) =>
      columns([
        String(p.pid),
        p.program.slice(0, 13),
        p.cores.toFixed(3),
        mib(p.rssBytes),
        mib(p.pssBytes),
        mib(p.maxRssBytes),
      ]),
    ),
  ].join('\n');
}

function scaleTable(r: ScaleResult): string {
  const cost = ({ cores, rssBytes, pssBytes }: ScaleResult['steps'][number]['agent']): string[] => [
    `${(100 * cores).toFixed(2)} %`,
    mib(rssBytes),
    mib(pssBytes),
  ];
  return [
    columns(['containers', 'agent CPU', 'RSS', 'PSS', 'probe CPU', 'RSS', 'PSS', 'both CPU', 'RSS', 'windows', 'lost']),
    ...r.steps.map(({ containers, agent, probe, windowsPerSecond, lostEvents }) =>
      columns([
        String(containers),
        ...cost(agent),
        ...cost(probe),
        `${(100 * (agent.cores + probe.cores)).toFixed(2)} %`,
        mib(agent.rssBytes + probe.rssBytes),
        `${windowsPerSecond.toFixed(0)}/s`,
        String(lostEvents),
      ]),
    ),
    columns(['containers', 'agent reads', 'floor reads', 'floor CPU', 'both ÷ floor', 'poll CPU', 'breaches']),
    ...r.steps.map(({ containers, agent, probe, floor, readsPerSecond, breaches }) =>
      columns([
        String(containers),
        `${readsPerSecond.toFixed(0)}/s`,
        `${floor.readsPerSecond.toFixed(0)}/s`,
        `${(100 * floor.readCores).toFixed(2)} %`,
        ((agent.cores + probe.cores) / floor.readCores).toFixed(1),
        `${(100 * floor.pollCores).toFixed(2)} %`,
        String(breaches),
      ]),
    ),
    'floor: a C program that reads the same files at the same pace and throws them away; poll: one that waits for news of the cgroups',
    `up to ${r.budget.containers} containers, agent and probe together, at most ${100 * r.budget.cores} % of a core and ` +
      `${mib(r.budget.rssBytes)} RSS: ${r.isWithinBudget ? 'held' : 'EXCEEDED'}`,
  ].join('\n');
}

const wide = ([first = '', ...rest]: readonly string[]): string =>
  first.padEnd(12) + rest.map((cell) => cell.padStart(25)).join('');
function lossTable(r: LossResult): string {
  return [
    `${r.processes} processes: ${r.cycles.runtime} cycles and ${r.pauses.runtime} pauses by the runtimes, ${r.cycles.probe} and ` +
      `${r.pauses.probe} by the probe, ${r.lostEvents} events lost`,
    `${Math.round(r.cyclesPerSecond)} cycles a second, ${r.mostInOneSecond} in the busiest; none lost at ${r.leastCyclesPerSecond} and more: ` +
      (r.held ? 'held' : 'NOT HELD'),
  ].join('\n');
}

function effectTable({ promises, ends, ...r }: EffectResult): string {
  return [
    spansTable(r),
    ...Object.entries(ends).map(([end, count]) => `${end}: ${count} of ${r.runs}`),
    ...promises.map(({ what, heldIn, of, worst }) => {
      const verdict = heldIn === of ? 'held' : 'NOT HELD, only';
      return `${what} promised: ${verdict} in ${heldIn} of ${of}, the worst ${Math.round(worst)}`;
    }),
  ].join('\n');
}

function spansTable({ runs, spans }: { readonly runs: number; readonly spans: readonly Span[] }): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    `${runs} runs each`.padEnd(72) + columns(['median', 'P90', 'max']),
    ...spans.map(({ what, medianMs, p90Ms, maxMs }) => what.padEnd(72) + columns([medianMs, p90Ms, maxMs].map(ms))),
  ].join('\n');
}

const columns = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join('');
const span = (ns: number): string => {
  if (ns < 1e3) return `${ns} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
};
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
