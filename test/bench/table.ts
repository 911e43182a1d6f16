/** Results as a table for people. Pure. */
import type { ComparedBucket } from './buckets.ts';
import type { FootprintResult } from './footprint.ts';
import type { PausesResult } from './pauses.ts';
import type { OverheadResult } from './probe-overhead.ts';
import type { ScaleResult } from './scale.ts';

export type BenchResult = PausesResult | OverheadResult | FootprintResult | ScaleResult;

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
  return [
    columns(['round', 'without', 'with', 'per CPU s', 'with', 'watcher', 'assists']),
    ...r.rounds.map((round, i) =>
      columns([
        String(i + 1),
        `${Math.round(round.without.eventsPerSecond)}/s`,
        `${Math.round(round.with.eventsPerSecond)}/s`,
        String(Math.round(round.without.eventsPerCpuSecond)),
        String(Math.round(round.with.eventsPerCpuSecond)),
        `${(100 * round.with.watcherCores).toFixed(1)} %`,
        `${Math.round(round.with.assistStallsPerSecond)}/s`,
      ]),
    ),
    `ratio of medians: ${r.eventsPerSecondRatio.toFixed(4)} of the events per second, ${r.eventsPerCpuSecondRatio.toFixed(4)} of the events per ` +
      `CPU second of the robot; the watcher took ${(100 * r.watcherCores).toFixed(1)} % of a core`,
  ].join('\n');
}

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
    columns(['containers', 'agent CPU', 'RSS', 'PSS', 'probe CPU', 'RSS', 'PSS', 'windows', 'lost']),
    ...r.steps.map(({ containers, agent, probe, windowsPerSecond, lostEvents }) =>
      columns([
        String(containers),
        ...cost(agent),
        ...cost(probe),
        `${windowsPerSecond.toFixed(0)}/s`,
        String(lostEvents),
      ]),
    ),
    `agent and probe at the last step: ${(100 * r.cores).toFixed(2)} % of a core, ${mib(r.rssBytes)} RSS, ${mib(r.pssBytes)} PSS`,
  ].join('\n');
}

const columns = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join('');
const span = (ns: number): string => {
  if (ns < 1e3) return `${ns} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
};
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
