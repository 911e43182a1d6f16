/** Bytes of `runtime.work` to the times of the collector. Pure. */
import { type GcWorkField, gcWorkBytes, gcWorkFields } from '../gobin/index.ts';

/** What all cycles cost so far, and when the phases of the latest one began. Times of moments are on CLOCK_MONOTONIC; 0 before the first cycle. */
export interface GcWork {
  /** Cycles that have begun. */
  readonly cycles: number;
  /** GOMAXPROCS as the latest cycle began; 0 before the first. */
  readonly procs: number;
  readonly sweepTerminationAtNs: number;
  readonly markAtNs: number;
  readonly markTerminationAtNs: number;
  /** End of the latest cycle that has ended. */
  readonly endAtNs: number;
  /** CPU time of all cycles that have ended, as `/cpu/classes/gc/*` counts it; fractional workers are with the dedicated ones. */
  readonly assistNs: number;
  readonly dedicatedNs: number;
  readonly idleNs: number;
  /** Stopped time × GOMAXPROCS; counted as each pause ends. */
  readonly pauseNs: number;
}

/** A fleet's largest machines have some hundreds; the runtime allows 1,024. */
const mostProcs = 65_536;

const parts: readonly GcWorkField[] = ['gcAssistTime', 'gcDedicatedTime', 'gcIdleTime', 'gcPauseTime'];

/** The times, or a sentence why these bytes cannot be `runtime.work`: its total is the sum of its parts at every moment. */
export function gcWork(bytes: Buffer): GcWork | string {
  if (bytes.length !== gcWorkBytes) return `${bytes.length} bytes instead of ${gcWorkBytes}`;
  const exactNs = (field: GcWorkField): bigint => bytes.readBigInt64LE(gcWorkFields[field]);
  const ns = (field: GcWorkField): number => Number(exactNs(field));
  const work: GcWork = {
    cycles: bytes.readUInt32LE(gcWorkFields.cycles),
    procs: bytes.readInt32LE(gcWorkFields.maxprocs),
    sweepTerminationAtNs: ns('tSweepTerm'),
    markAtNs: ns('tMark'),
    markTerminationAtNs: ns('tMarkTerm'),
    endAtNs: ns('tEnd'),
    assistNs: ns('gcAssistTime'),
    dedicatedNs: ns('gcDedicatedTime'),
    idleNs: ns('gcIdleTime'),
    pauseNs: ns('gcPauseTime'),
  };
  const sumNs = parts.reduce((sum, part) => sum + exactNs(part), 0n);
  const totalNs = exactNs('gcTotalTime');
  if (sumNs !== totalNs) return `parts of ${sumNs} ns make ${totalNs} ns`;
  if (Object.values(work).some((value) => value < 0)) return 'a time below zero';
  if (work.procs > mostProcs || (work.cycles > 0 && work.procs === 0)) return `${work.procs} processors`;
  return work;
}
