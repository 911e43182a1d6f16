/** The custom resources as schemas and types. Imports nothing of this project; everything may import it. */
export * from './incident.ts';
export * from './names.ts';
export * from './objects.ts';
export * from './policy.ts';
export * from './units.ts';
