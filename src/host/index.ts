/**
 * Readers of this node: /proc, cgroups, PSI, scrapes. An I/O room: thin file access, each parser a pure function.
 * The probe's client is a room of its own (`./probe`).
 */
export { openProc } from './proc.ts';
export { findContainer, scanContainers } from './containers.ts';
export { openCgroup } from './cgroup/index.ts';
export { parsePressure, readPressure } from './psi.ts';
export { scrapeActivity } from './activity.ts';
export { sumMetric } from './exposition.ts';
export { clockJoin, monotonicNs, wallMs, type ClockJoin } from './clock.ts';
export { openFileReader, type FileReader } from './file-reader.ts';
export type * from './types.ts';
