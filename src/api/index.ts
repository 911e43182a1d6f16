/** The custom resources as schemas and types. Imports nothing of this project; everything may import it. */
export * from './check.ts';
export * from './incident.ts';
export * from './names.ts';
export * from './objects.ts';
export * from './policy.ts';
export * from './rules.ts';
export * from './signals.ts';
export * from './units.ts';
