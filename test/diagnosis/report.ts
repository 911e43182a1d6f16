/** Prints what the labelled recordings are diagnosed as, each run, as a table of confusion, and at each moment on the way: `node test/diagnosis/report.ts`. */
import { allRecordings } from './recordings.ts';
import { earlier, isRight, table, verdictOf, verdictText } from './verdict.ts';

const recordings = allRecordings();
for (const recording of recordings) console.log(verdictText(recording, verdictOf(recording)));
console.log(`\n${table(recordings)}`);

const moments = recordings.flatMap(earlier).map((recording) => ({ recording, verdict: verdictOf(recording) }));
const inBreach = moments.filter(({ verdict }) => verdict.trigger !== undefined);
const right = inBreach.filter(({ recording, verdict }) => isRight(recording, verdict));
const wrongly = inBreach.filter(
  ({ recording, verdict }) => !isRight(recording, verdict) && (verdict.plan?.kind ?? 'None') !== 'None',
);
console.log(
  `At every moment since the first breach: right first in ${right.length} of ${inBreach.length} (${((100 * right.length) / inBreach.length).toFixed(1)} %); a change planned on another cause in ${wrongly.length}:`,
);
for (const name of new Set(wrongly.map(({ recording }) => `${recording.label}: ${recording.name}`))) console.log(name);
