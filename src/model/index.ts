/**
 * From a policy to numbers and from windows to judgements. Pure: plain data and a clock in, plain data out; imports `api` alone.
 */
export * from './allocation-rate.ts';
export * from './availability.ts';
export * from './cycle-phases.ts';
export * from './evaluate.ts';
export * from './explain.ts';
export { unsetSignals } from './explain-further.ts';
export * from './formula.ts';
export * from './further-limits.ts';
export * from './further-signals.ts';
export * from './gc-frequency.ts';
export * from './go-mem-limit.ts';
export * from './gogc-setting.ts';
export * from './heap-fit.ts';
export * from './heap-trend.ts';
export * from './hysteresis.ts';
export * from './live-heap.ts';
export * from './memory-limit.ts';
export * from './memory-need.ts';
export * from './oom-kills.ts';
export { PackedSeries } from './packed/series.ts';
export * from './pressure-onset.ts';
export * from './quantiles.ts';
export * from './quantity.ts';
export * from './rhythm/index.ts';
export * from './ring.ts';
export * from './sampled-stalls.ts';
export type { SignalCheck } from './signal-check.ts';
export * from './signal-groups.ts';
export * from './signals.ts';
export * from './stale-limit.ts';
export * from './stop-reasons.ts';
export * from './summary.ts';
export * from './thresholds.ts';
export * from './trailing-stall.ts';
export * from './trend.ts';
export * from './window.ts';
