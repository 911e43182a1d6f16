/** The sampler: signal windows of local Go processes, without Kubernetes. Used by the agent and by `robotgc watch` and `capture`. */
export { type HostSamplerOptions, hostSampler } from './host-sampler.ts';
export { localPopulation, localTarget } from './local-target.ts';
export { metricSource } from './metric-source.ts';
export type { SamplerOptions } from './options.ts';
export { Sampler } from './sampler.ts';
export type * from './types.ts';
export { isSlow } from './waits.ts';
