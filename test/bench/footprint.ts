/** Bench `footprint`: memory and CPU of the product's own processes while they work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from './errors.ts';
import { allUsages, type ProcessUsage, tree, usageOf } from './usage.ts';

export interface FootprintOptions {
  readonly seconds: number;
  /** Empty: every agent, operator and watch that runs on this machine. */
  readonly pids: readonly number[];
  readonly say: (sentence: string) => void;
}

export interface Footprint {
  readonly pid: number;
  readonly program: string;
  readonly cores: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
  /** Highest of the samples, one a second. */
  readonly maxRssBytes: number;
}

export interface FootprintResult {
  readonly bench: 'footprint';
  readonly seconds: number;
  readonly processes: readonly Footprint[];
}

export async function footprint(options: FootprintOptions): Promise<FootprintResult> {
  const chosen = choose(await allUsages(), options.pids);
  if (chosen.length === 0) {
    const what = options.pids.length > 0 ? `process ${options.pids.join(', ')}` : 'robotgc agent, operator or watch';
    throw new BenchError('NOTHING_TO_MEASURE', `no ${what} runs here: start one, or the demo with --keep`);
  }
  options.say(`${chosen.length} processes for ${options.seconds} s`);
  const maxRss = new Map<number, number>();
  const startMs = performance.now();
  while (performance.now() - startMs < options.seconds * 1000) {
    for (const usage of await Promise.all(chosen.map(({ pid }) => usageOf(pid)))) {
      if (usage) maxRss.set(usage.pid, Math.max(usage.rssBytes, maxRss.get(usage.pid) ?? 0));
    }
    await sleep(1000);
  }
  const elapsed = (performance.now() - startMs) / 1000;
  const processes: Footprint[] = [];
  for (const first of chosen) {
    const last = await usageOf(first.pid);
    if (last === undefined) continue; // ended meanwhile
    processes.push({
      pid: last.pid,
      program: programOf(last),
      cores: (last.cpuSeconds - first.cpuSeconds) / elapsed,
      rssBytes: last.rssBytes,
      pssBytes: last.pssBytes,
      maxRssBytes: maxRss.get(last.pid) ?? last.rssBytes,
    });
  }
  return { bench: 'footprint', seconds: elapsed, processes };
}

/** The named processes with their descendants, or the product's. */
export function choose(usages: readonly ProcessUsage[], pids: readonly number[]): ProcessUsage[] {
  if (pids.length > 0) return pids.flatMap((pid) => tree(usages, pid));
  return usages.filter((usage) => programOf(usage) !== usage.command);
}

/** `operator`, `agent`, `watch` or `robotgc-probe`; the command line of anything else. */
export function programOf({ command }: Pick<ProcessUsage, 'command'>): string {
  const [program = '', ...rest] = command.split(' ');
  if (program.endsWith('/robotgc-probe')) return 'robotgc-probe';
  const script = [program, ...rest].findIndex((word) => /(^|\/)robotgc(\.js)?$/.test(word));
  const subcommand = script === -1 ? undefined : [program, ...rest][script + 1];
  return subcommand !== undefined && ['operator', 'agent', 'watch'].includes(subcommand) ? subcommand : command;
}
