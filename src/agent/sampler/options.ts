/** What a sampler needs of the machine and of the program it serves. */
import type {
  ActivityResult,
  CgroupMembership,
  CgroupReader,
  ConnectionsRequest,
  NodePressure,
  OnPressure,
  PressureWatch,
  Proc,
  ScrapeRequest,
} from '../../host/index.ts';
import type { Flush, ProbeClient, ProbeError } from '../../host/probe/index.ts';
import type { RhythmsOptions } from './rhythms.ts';
import type { ReadTotals } from './triggered-pressure.ts';
import type { Population, SamplerSink } from './types.ts';

export interface SamplerOptions {
  readonly proc: Proc;
  readonly startProbe: () => Promise<ProbeClient>;
  readonly openCgroup: (memberships: readonly CgroupMembership[]) => CgroupReader | undefined;
  /** Pressure of the whole node at this moment. */
  readonly readNode: () => NodePressure;
  /** Watches memory pressure between ticks. */
  readonly watchPressure: (onPressure: OnPressure) => PressureWatch;
  readonly readPressureTotals: ReadTotals;
  readonly scrape: (request: ScrapeRequest) => Promise<ActivityResult>;
  readonly countConnections: (request: ConnectionsRequest) => Promise<ActivityResult>;
  /** Records the allocation of programs for some seconds. */
  readonly rhythm: Pick<RhythmsOptions, 'record' | 'pace'>;
  /** Processes of all targets, by key, at this moment. */
  readonly populate: () => ReadonlyMap<string, Population>;
  readonly sink: SamplerSink;
  readonly onProbeDown?: (error: ProbeError, retryInMs: number) => void;
  readonly onProbeUp?: (probe: ProbeClient) => void;
  /** After each tick, whether the probe is there or not. */
  readonly onTick?: () => void;
  readonly onFlush?: (flush: Flush, tookMs: number) => void;
  /** Watches how long goroutines wait for data all the time, not only during captures: that costs a busy server some µs for each. */
  readonly alwaysReads?: boolean;
  /** Default one second. */
  readonly periodMs?: number;
  /** CLOCK_MONOTONIC. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
}
