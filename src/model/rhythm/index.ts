export * from './classify.ts';
export * from './series.ts';
