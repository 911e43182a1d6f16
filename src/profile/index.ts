/**
 * profile: what is in a pprof profile: its model, classes of stacks, the collector's share. A pure room: plain bytes in,
 * plain data out; no I/O, no node modules. Promises linear time on any bytes and a ProfileError for what is no profile.
 */
export { decodeProfile } from './decode.ts';
export { classOf, type FrameClass, gcClasses } from './frame-classes.ts';
export { type Frame, type Profile, ProfileError, type Sample } from './model.ts';
export { type FunctionTotal, gcShareOfCpu, topFunctions, totalsByClass } from './shares.ts';
export { countSamples } from './wire.ts';
