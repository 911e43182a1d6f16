/**
 * Readers of this node: /proc, cgroups, PSI, scrapes. An I/O room: thin file access, each parser a pure function.
 * The probe's client is a room of its own (`./probe`).
 */

export { scrapeActivity } from './activity.ts';
export {
  type Recorded,
  recordAllocations,
  rhythmPace,
  type SamplingPace,
} from './allocation-sampler.ts';
export { openCgroup } from './cgroup/index.ts';
export { monotonicNs } from './clock.ts';
export { countConnections } from './connections.ts';
export { ContainerScanner, scanContainers } from './containers.ts';
export type { ControllerBooks, HeapNow } from './controller-books.ts';
export {
  ControllerReadError,
  type ControllerReadErrorCode,
  type ControllerReader,
  type GcLimiter,
  missingWithoutProbe,
  openController,
} from './controller-reader.ts';
export { sumMetric } from './exposition.ts';
export { type FileReader, openFileReader } from './file-reader.ts';
export { type GcSettings, sameSettings } from './gc-settings.ts';
export type { GcWork } from './gc-work.ts';
export {
  type GcEffect,
  GcWriteError,
  type GcWriteErrorCode,
  type GcWriteOptions,
  type GcWriter,
  openGcWriter,
  type WrittenSettings,
} from './gc-writer.ts';
export { loadsLibraries, type MappedFile, mappedLibssl } from './mapped-files.ts';
export { type NodePressureReader, openNodePressure } from './node-pressure.ts';
export { type PressurePollerOptions, pressurePoller } from './pressure-poller.ts';
export type { OnPressure, PressureSubject, PressureWatch } from './pressure-watch.ts';
export { openProc } from './proc.ts';
export { parsePressure, pressureTotals, readPressure } from './psi.ts';
export type * from './types.ts';
