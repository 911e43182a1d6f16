import type { GcControllerField, GcControllerFieldName, GcControllerLayout } from './types.ts';

const int32 = (offset: number): GcControllerField => ({ offset, type: 'int32' });
const int64 = (offset: number): GcControllerField => ({ offset, type: 'int64' });
const uint64 = (offset: number): GcControllerField => ({ offset, type: 'uint64' });

/** Offsets in `runtime.gcControllerState` (runtime/mgcpacer.go). The struct's text has not changed from Go 1.22 to 1.26. */
const fieldsGo122: Readonly<Record<GcControllerFieldName, GcControllerField>> = {
  gcPercent: int32(0),
  memoryLimit: int64(8),
  heapMinimum: uint64(16),
  gcPercentHeapGoal: uint64(72),
  sweepDistMinTrigger: uint64(80),
  triggered: uint64(88),
  lastHeapGoal: uint64(96),
  heapLive: uint64(104),
  lastStackScan: uint64(128),
  globalsScan: uint64(144),
  heapMarked: uint64(152),
  assistTime: int64(192),
  dedicatedMarkTime: int64(200),
  fractionalMarkTime: int64(208),
  idleMarkTime: int64(216),
  markStartTime: int64(224),
  heapInUse: uint64(272),
  heapReleased: uint64(280),
  heapFree: uint64(288),
  totalAlloc: uint64(296),
  totalFree: uint64(304),
  mappedReady: uint64(312),
};

const oldestMinor = 22;
const newestMinor = 26;

/** The layout for Go 1.`minor`, or undefined when this version has not been looked at. */
export function layoutFor(minor: number): GcControllerLayout | undefined {
  if (!Number.isInteger(minor) || minor < oldestMinor || minor > newestMinor) return undefined;
  return { source: `DWARF of go1.${minor}`, sizeBytes: 320, fields: fieldsGo122 };
}

/** Offset of `goid` in `runtime.g` (runtime/runtime2.go), by DWARF of each version: `syscallbp` came with Go 1.23, `gobuf.ret` went with 1.25. */
export function goidOffsetFor(minor: number): number {
  return minor === 23 || minor === 24 ? 160 : 152;
}

/** The versions that `layoutFor` knows, for messages. */
export const supportedGo = `go1.${oldestMinor} to go1.${newestMinor}`;
