/** Causes ranked from evidence. Pure: imports `model` and `api` alone; promises the same answer for the same evidence. */
export { diagnose } from './diagnose.ts';
export { CAUSES, type Cause, type Evidence, type Finding } from './evidence.ts';
export { LEAK_EVERY_WINDOWS, type SlowLeak, slowLeakOf } from './slow-leak.ts';
