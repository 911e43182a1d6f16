/** `robotgc watch -o text`: one row a second, the numbers over their limit in red. Pure. */
import { styleText } from 'node:util';
import type { Diagnosis, Plan } from '../../api/index.ts';
import type { WaitEvent } from '../../host/probe/index.ts';
import {
  type Breach,
  type PressureOnset,
  quantity,
  type Rhythm,
  type RhythmKind,
  type SignalWindow,
  type Thresholds,
} from '../../model/index.ts';
import { duration, percent, size } from './format.ts';
import type { RolledBack, Tuning, Verified } from './objects.ts';

export interface TextOptions {
  readonly thresholds: Thresholds | null;
  readonly colour: boolean;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly text: (window: SignalWindow) => string;
  /** Whether the number breaks the policy. */
  readonly over?: (window: SignalWindow, thresholds: Thresholds) => boolean;
}

const none = '–';

const columns: readonly Column[] = [
  { title: 'time', width: 8, text: (w) => w.endedAt.slice(11, 19) },
  {
    title: 'GC stall P99',
    width: 12,
    text: (w) => stall(w.gcStall.count, w.gcStall.p99Ns),
    over: (w, t) => w.gcStall.p99Ns > t.gcStallP99Ns,
  },
  { title: 'STW max', width: 8, text: (w) => stall(w.gcPause.count, w.gcPause.maxNs) },
  { title: 'stop max', width: 8, text: (w) => (w.gcStopping ? stall(w.gcStopping.count, w.gcStopping.maxNs) : none) },
  { title: 'assist max', width: 10, text: (w) => stall(w.gcAssist.count, w.gcAssist.maxNs) },
  {
    title: 'GC CPU',
    width: 7,
    text: (w) => (w.gc ? percent(w.gc.cpuShare) : none),
    over: (w, t) => (w.gc?.cpuShare ?? 0) > t.gcCpuShare,
  },
  { title: 'cycles', width: 6, text: (w) => (w.gc ? String(w.gc.cycles) : none) },
  { title: 'live heap', width: 9, text: (w) => (w.gc ? size(w.gc.heapLiveBytes) : none) },
  { title: 'heap goal', width: 9, text: (w) => (w.gc ? size(w.gc.heapGoalBytes) : none) },
  { title: 'limiter', width: 7, text: limiter, over: (w) => w.gc?.limiterOn === true },
  { title: 'GOGC', width: 5, text: (w) => (w.gc ? gogc(w.gc.gogc) : none) },
  { title: 'memory', width: 9, text: (w) => (w.cgroup ? size(w.cgroup.memoryCurrentBytes) : none) },
  { title: 'limit', width: 9, text: (w) => (w.cgroup?.memoryLimitBytes ? size(w.cgroup.memoryLimitBytes) : none) },
  {
    title: 'pressure',
    width: 8,
    text: (w) => (w.cgroup?.memoryPressure ? percent(w.cgroup.memoryPressure.some) : none),
    over: (w, t) =>
      (w.cgroup?.memoryPressure?.some ?? 0) > t.memoryPressureSome ||
      (w.cgroup?.memoryPressure?.full ?? 0) > t.memoryPressureFull,
  },
  { title: 'robots', width: 7, text: (w) => (w.activeRobots === null ? none : String(w.activeRobots)) },
];

export function header(options: TextOptions): string {
  return paint(options, 'dim', columns.map((column) => column.title.padStart(column.width)).join('  '));
}

export function row(window: SignalWindow, options: TextOptions): string {
  const cells = columns.map((column) => {
    const text = column.text(window).padStart(column.width);
    const over = options.thresholds !== null && (column.over?.(window, options.thresholds) ?? false);
    return over ? paint(options, 'red', text) : text;
  });
  const lost = window.lostEvents > 0 ? [paint(options, 'yellow', `${window.lostEvents} events lost`)] : [];
  return [...cells, ...lost].join('  ');
}

export function breachText(breach: Breach, options: TextOptions): string {
  const { signal, observed, threshold, unit, breachingWindows, ofWindows } = breach;
  const sentence = `breach: ${signal} reached ${quantity(observed, unit)}, limit ${quantity(threshold, unit)}, in ${breachingWindows} of ${ofWindows} windows`;
  return paint(options, 'red', sentence);
}

export function diagnosisText({ cause, summary, confidence }: Diagnosis, bundle: string | null): string {
  const evidence = bundle === null ? '' : `; evidence: ${bundle}`;
  return `diagnosis: ${cause}, confidence ${percent(confidence)}: ${summary}${evidence}`;
}

export function actionText(
  { kind, knob, from, to, reason, blockedBy }: Plan,
  applied: boolean,
  options: TextOptions,
): string {
  if (kind === 'None') return `no action: ${reason}`;
  const change = `${knob} ${from ?? 'unset'} → ${to}`;
  if (applied) return paint(options, 'green', `action: ${change} in the running process. ${reason}`);
  return `recommended: ${change}. ${reason} Not applied: ${blockedBy?.join('; ')}`;
}

export function verifiedText({ reason, healMs }: Verified, options: TextOptions): string {
  return paint(options, 'green', `verified ${duration(healMs * 1e6)} after the breach: ${reason}`);
}

export function rolledBackText({ knob, from, to, reason }: RolledBack, options: TextOptions): string {
  return paint(options, 'yellow', `rolled back: ${knob} ${from ?? 'unset'} → ${to ?? 'unset'}: ${reason}`);
}

export function tuningText({ plan, activeRobots }: Tuning, applied: boolean, options: TextOptions): string {
  const { kind, knob, from, to, reason, blockedBy } = plan;
  const robots = activeRobots === null ? '' : ` at ${activeRobots} robots`;
  if (kind === 'None') return `tuning${robots}: ${reason}`;
  const change = `${knob} ${from ?? 'unset'} → ${to ?? 'unset'}`;
  if (applied) return paint(options, 'green', `tuning${robots}: ${change} in the running process. ${reason}`);
  return `tuning${robots}: ${change} would be set. ${reason} Not applied: ${blockedBy?.join('; ')}`;
}

export function onsetText({ signal, share, limit }: PressureOnset, options: TextOptions): string {
  return paint(
    options,
    'yellow',
    `pressure: ${signal} at ${percent(share)} of the last second, limit ${percent(limit)}`,
  );
}

const waitNames: Readonly<Record<WaitEvent['on'], string>> = {
  mmap: 'mmap',
  munmap: 'munmap',
  reclaimDirect: 'memory reclaim (machine)',
  reclaimMemcg: 'memory reclaim (cgroup)',
  tlsClient: 'TLS handshake (client)',
  tlsServer: 'TLS handshake (server)',
  openssl: 'TLS handshake (OpenSSL)',
  connect: 'TCP connect',
  read: 'read',
};

export function waitText({ on, durationNs, failed, peer }: WaitEvent, options: TextOptions): string {
  const to = peer === undefined ? '' : ` to ${peer}`;
  return paint(
    options,
    'yellow',
    `wait: ${waitNames[on]}${to} ${failed ? 'failed after' : 'took'} ${duration(durationNs)}`,
  );
}

const rhythmNames: Readonly<Record<RhythmKind, string>> = {
  message: 'driven by messages',
  stateMachine: 'in steps of a state machine',
  timer: 'by timers',
  mixed: 'mixed',
  unknown: 'not known',
};

export function rhythmText({ kind, periodMs, confidence, reason }: Rhythm): string {
  const period = periodMs === undefined ? '' : `, each ${duration(periodMs * 1e6)}`;
  const trust = kind === 'unknown' ? '' : `, confidence ${percent(confidence)}`;
  return `allocation rhythm: ${rhythmNames[kind]}${period}${trust} (${reason})`;
}

function stall(count: number, ns: number): string {
  return count === 0 ? none : duration(ns);
}

function limiter({ gc }: SignalWindow): string {
  return gc?.limiterOn === undefined ? none : gc.limiterOn ? 'on' : 'off';
}

function gogc(percentOfLive: number): string {
  return percentOfLive < 0 ? 'off' : String(percentOfLive);
}

function paint(options: TextOptions, style: 'red' | 'yellow' | 'green' | 'dim', text: string): string {
  return options.colour ? styleText(style, text, { validateStream: false }) : text;
}
