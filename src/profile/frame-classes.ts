import type { Frame } from './model.ts';

/**
 * What a stack was doing, from the runtime's point of view.
 * `mark` background workers · `assist` marking done by a goroutine that wants to allocate · `sweep` · `scavenge` giving memory back ·
 * `control` starting and ending cycles · `write-barrier` · `allocate` mallocgc without any of the above · `other`.
 */
export type FrameClass = 'mark' | 'assist' | 'sweep' | 'scavenge' | 'control' | 'write-barrier' | 'allocate' | 'other';

/** Classes that exist only because there is a garbage collector. */
export const gcClasses: ReadonlySet<FrameClass> = new Set([
  'mark',
  'assist',
  'sweep',
  'scavenge',
  'control',
  'write-barrier',
]);

/**
 * Function names of the Go runtime, 1.22 to 1.26 (runtime/mgc.go, mgcmark.go, mgcsweep.go, mgcscavenge.go, mwbbuf.go, malloc.go).
 * In order: the first class with a frame anywhere in the stack wins, so assist inside mallocgc is assist, not allocation.
 */
const classTable: readonly (readonly [FrameClass, ReadonlySet<string>])[] = [
  ['assist', names('gcAssistAlloc', 'gcAssistAlloc1', 'gcParkAssist')],
  [
    'mark',
    names(
      'gcBgMarkWorker',
      'gcDrain',
      'gcDrainN',
      'gcDrainMarkWorkerDedicated',
      'gcDrainMarkWorkerIdle',
      'scanobject',
      'markroot',
      'greyobject',
    ),
  ],
  ['control', names('gcStart', 'gcMarkDone', 'gcMarkTermination', 'forEachP', 'gcController.findRunnableGCWorker')],
  [
    'sweep',
    names(
      'bgsweep',
      'sweepone',
      'deductSweepCredit',
      '(*mspan).sweep',
      '(*sweepLocked).sweep',
      '(*mcentral).tryAcquireSpan',
    ),
  ],
  ['scavenge', names('bgscavenge', '(*pageAlloc).scavenge', '(*mheap).scavengeAll')],
  ['write-barrier', names('gcWriteBarrier', 'wbBufFlush', 'wbBufFlush1', 'bulkBarrierPreWrite')],
  ['allocate', names('mallocgc', 'newobject', 'makeslice', 'growslice', 'rawstring', 'rawbyteslice')],
];

function names(...functions: string[]): ReadonlySet<string> {
  return new Set(functions.map((name) => `runtime.${name}`));
}

export function classOf(stack: readonly Frame[]): FrameClass {
  for (const [frameClass, functions] of classTable) {
    if (stack.some((frame) => functions.has(outermost(frame.function)))) return frameClass;
  }
  return 'other';
}

/** `runtime.gcBgMarkWorker.func2` is a closure inside `runtime.gcBgMarkWorker`. */
function outermost(name: string): string {
  const closure = name.indexOf('.func', 'runtime.'.length);
  return closure === -1 ? name : name.slice(0, closure);
}
