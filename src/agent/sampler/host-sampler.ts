/** A sampler on this machine: the real /proc, cgroups, clock and probe. */
import {
  countConnections,
  type HostRoots,
  monotonicNs,
  openCgroup,
  openNodePressure,
  openProc,
  pressurePoller,
  pressureTotals,
  readPressure,
  recordAllocations,
  rhythmPace,
  scrapeActivity,
} from '../../host/index.ts';
import { startProbe } from '../../host/probe/index.ts';
import type { SamplerOptions } from './options.ts';
import { Sampler } from './sampler.ts';

export interface HostSamplerOptions
  extends Pick<
    SamplerOptions,
    'populate' | 'sink' | 'onProbeDown' | 'onProbeUp' | 'onFlush' | 'onTick' | 'alwaysReads'
  > {
  readonly roots?: Partial<HostRoots>;
  /** Another way to start the probe, for tests. */
  readonly startProbe?: SamplerOptions['startProbe'];
  /** One line that the probe wrote for people. */
  readonly onProbeLog?: (line: string) => void;
}

/** A probe that does not answer for so long is replaced. */
const commandTimeoutMs = 5_000;

export function hostSampler(options: HostSamplerOptions): Sampler {
  const { roots, onProbeLog, ...rest } = options;
  const node = openNodePressure(roots?.procRoot);
  return new Sampler({
    startProbe: () => startProbe({ commandTimeoutMs, ...(onProbeLog ? { onLog: onProbeLog } : {}) }),
    ...rest,
    proc: openProc(roots?.procRoot),
    openCgroup: (memberships) => openCgroup(memberships, roots?.cgroupRoot),
    readNode: () => node.read(),
    watchPressure: (onPressure) =>
      pressurePoller({ onPressure, monotonicNs, ...(roots?.procRoot ? { procRoot: roots.procRoot } : {}) }),
    readPressureTotals: (directory) => {
      const pressure = readPressure(`${directory}/memory.pressure`);
      return pressure ? pressureTotals(monotonicNs(), pressure) : null;
    },
    rhythm: { record: recordAllocations, pace: rhythmPace },
    scrape: scrapeActivity,
    countConnections: (request) => countConnections({ ...request, procRoot: roots?.procRoot }),
    monotonicNs,
    wallMs: () => Date.now(),
  });
}
