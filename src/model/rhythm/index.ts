export * from './classify.ts';
export * from './news.ts';
export * from './series.ts';
