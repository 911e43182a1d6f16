/** The custom resources as schemas and types. Imports nothing of this project; everything may import it. */
export * from './approval.ts';
export * from './check.ts';
export * from './desired.ts';
export * from './incident.ts';
export * from './names.ts';
export * from './objects.ts';
export * from './policy.ts';
export * from './rules.ts';
export * from './runbooks.ts';
export * from './selector.ts';
export * from './signals.ts';
export * from './tuning.ts';
export * from './units.ts';
export * from './ways.ts';
