/** What is not observed, named as windows name it, and why. Pure. */
import type { AttachPlan, OptionalPoints } from '../../gobin/index.ts';
import { missingWithoutProbe } from '../../host/index.ts';
import type { ReadyEvent } from '../../host/probe/index.ts';
import { SignalWindow } from '../../model/index.ts';
import type { MissingSignals } from './types.ts';

/** Why the probe does not watch: a stable code, a sentence for people. */
export interface WithoutProbe {
  readonly reason: string;
  readonly message: string;
}

export function missingFromBooks({ reason, message }: WithoutProbe): MissingSignals {
  const meanwhile = 'until then the rest is read through /proc/PID/mem';
  return { signals: missingWithoutProbe, reason, message: `${message}; ${meanwhile}` };
}

/** The probe's names of what a kernel may lack, as fields of windows. */
const fieldsOfKernel: Readonly<Record<string, readonly string[]>> = {
  mmap: ['kernelMemory.mmap', 'kernelMemory.munmap', 'kernelMemory.mmapFailures', 'kernelMemory.allocationFailures'],
  reclaimDirect: ['kernelMemory.reclaimDirect'],
  reclaimMemcg: ['kernelMemory.reclaimMemcg'],
  oomVictim: ['kernelMemory.oomVictims'],
  connect: ['network.connect'],
};

export function missingInKernel({ missing }: Pick<ReadyEvent, 'missing'>): MissingSignals[] {
  return missing.map(({ signal, reason }) => ({
    signals: fieldsOfKernel[signal] ?? [signal],
    reason: 'KERNEL',
    message: reason,
  }));
}

/** Groups of attach points that stand for a field of windows; slow assists have another way to be seen, waits for data are for captures. */
const fieldsOfGroup: Readonly<Record<string, readonly string[]>> = {
  heapGrow: ['kernelMemory.heapGrows'],
  tlsClient: ['network.tlsClient'],
  tlsServer: ['network.tlsServer'],
  stwStopping: ['gcStopping'],
};

/** A program that does not use TLS has none of its functions; the heap of every program grows, and its world stops. */
function isUnused(group: Extract<OptionalPoints, { kind: 'absent' }>): boolean {
  return group.group.startsWith('tls') && group.reason === 'function-not-found';
}

/** What this program's code does not show though it is there: a program without TLS misses nothing. */
export function missingInProgram({ optional }: Pick<AttachPlan, 'optional'>): MissingSignals[] {
  return optional.flatMap((group) => {
    const signals = fieldsOfGroup[group.group];
    if (group.kind === 'ok' || signals === undefined || isUnused(group)) return [];
    return [{ signals, reason: group.reason, message: group.message }];
  });
}

/** What is not observed of at least one of the processes; the same reason is told once. */
export function missingOfAll(ofProcesses: readonly (readonly MissingSignals[])[]): MissingSignals[] {
  const found = new Map<string, MissingSignals>();
  for (const missing of ofProcesses.flat()) {
    const key = `${missing.reason} ${missing.message}`;
    const known = found.get(key);
    const signals = [...new Set([...(known?.signals ?? []), ...missing.signals])];
    found.set(key, { ...missing, signals });
  }
  return [...found.values()];
}

/** Those that are fields of windows, each once: that another program is executed, for one, is none. */
export function windowFields(missing: readonly MissingSignals[]): string[] {
  const isField = (name: string): boolean => (name.split('.')[0] ?? '') in SignalWindow.shape;
  return [...new Set(missing.flatMap(({ signals }) => signals))].filter(isField);
}
