/** The evidence of one incident: what was recorded, fetched and looked up, as the files of a bundle. */
export { bundleEntries, type CaptureReport, type Evidence, type ProcessFacts } from './entries.ts';
export { processFacts } from './process-facts.ts';
export { Recorder } from './recorder.ts';
export { SavedHistories } from './saved-histories.ts';
export { toolVersions } from './tools.ts';
