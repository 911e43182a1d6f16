/** What goes into a bundle, from what was seen and fetched. Pure: the text of every file, none of the writing. */
import type { BundleEntry } from '../../bundle/index.ts';
import type { CapturedFile } from '../../capture/index.ts';
import type { GoEnvironment, ProcessStatus } from '../../host/index.ts';
import type { Inspection } from '../sampler/index.ts';
import type { Recorder } from './recorder.ts';

/** How it went with pprof: which way was taken, and what could not be had. */
export interface CaptureReport {
  readonly startedAt: string;
  readonly endedAt: string;
  /** Absent when no way to a pprof worked. */
  readonly via?: string;
  readonly where?: string;
  readonly failures: readonly { readonly kind: string; readonly code: string; readonly message: string }[];
}

export interface ProcessFacts {
  readonly pid: number;
  readonly comm?: string;
  readonly status?: ProcessStatus;
  readonly environment?: GoEnvironment;
}

export interface Evidence {
  readonly recorder: Recorder;
  readonly inspection: Inspection | null;
  readonly processes: readonly ProcessFacts[];
  readonly profiles: readonly CapturedFile[];
  readonly report: CaptureReport;
  /** The pod's manifest as YAML, secrets redacted; absent without Kubernetes. */
  readonly podYaml?: string;
}

export function bundleEntries(evidence: Evidence): BundleEntry[] {
  const { recorder, inspection, processes, profiles, report, podYaml } = evidence;
  const windows = recorder.windows.all();
  const first = windows[0];
  const last = windows.at(-1);
  const during = { windowStart: report.startedAt, windowEnd: report.endedAt };
  const entries: BundleEntry[] = [
    {
      path: 'signals.ndjson',
      content: bytes(ndjson(windows)),
      source: 'signal windows of the agent, one a second',
      ...(first && last ? { windowStart: startOf(first.endedAt, first.durationMs), windowEnd: last.endedAt } : {}),
    },
    {
      path: 'heap-history.ndjson',
      content: bytes(ndjson(recorder.heap.points())),
      source: 'live heap after GC over hours, some minutes a line',
    },
    { path: 'snapshots/capture.json', content: bytes(json(report)), source: 'the capture itself', ...during },
    { path: 'snapshots/cycles.ndjson', content: bytes(ndjson(recorder.cycles)), source: 'robotgc-probe, GC cycles' },
    { path: 'snapshots/pauses.ndjson', content: bytes(ndjson(recorder.pauses)), source: 'robotgc-probe, STW pauses' },
    {
      path: 'snapshots/assists.ndjson',
      content: bytes(ndjson(recorder.assists)),
      source: 'robotgc-probe, assist stalls of 1 ms and longer',
    },
    {
      path: 'snapshots/waits.ndjson',
      content: bytes(ndjson(recorder.waits)),
      source: 'robotgc-probe, waits of 10 ms and longer for memory and the network',
    },
    {
      path: 'snapshots/pressure.ndjson',
      content: bytes(ndjson(recorder.onsets)),
      source: 'memory.pressure, where it began to break a limit',
    },
    { path: 'snapshots/processes.json', content: bytes(json(processes)), source: '/proc' },
  ];
  for (const { name, bytes: content, source, startedAt, endedAt } of profiles) {
    entries.push({ path: name, content, source, windowStart: startedAt, windowEnd: endedAt });
  }
  if (inspection) entries.push(...inspectionEntries(inspection));
  if (podYaml !== undefined)
    entries.push({ path: 'manifests/pod.yaml', content: bytes(podYaml), source: 'Kubernetes API, secrets redacted' });
  return entries;
}

function inspectionEntries({ programs, cgroup, rhythm }: Inspection): BundleEntry[] {
  const runtime = programs.map(({ pid, plan }) => ({
    pid,
    goVersion: plan.goVersion,
    modulePath: plan.modulePath ?? null,
    buildId: plan.buildId ?? null,
    stripped: plan.stripped,
    layout: plan.layout.source,
    points: plan.points.map(({ point, symbol, offset }) => ({ point, symbol, offset })),
  }));
  const entries = [{ path: 'snapshots/runtime.json', content: bytes(json(runtime)), source: 'the executable' }];
  if (cgroup) entries.push({ path: 'snapshots/cgroup.json', content: bytes(json(cgroup)), source: 'the cgroup' });
  const source = 'runtime.gcController and heap statistics through /proc/PID/mem, for some seconds in turn';
  if (rhythm) entries.push({ path: 'snapshots/rhythm.json', content: bytes(json(rhythm)), source });
  return entries;
}

function startOf(endedAt: string, durationMs: number): string {
  return new Date(Date.parse(endedAt) - durationMs).toISOString();
}

function ndjson(items: readonly unknown[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
