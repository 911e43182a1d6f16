/** `npm test`: every part, and one closing line. `npm test -- NAME…` runs the parts whose names hold one of the words. */
import { type Lane, type Part, stages } from './suite/parts.ts';
import { add, closingLine, type Failure, none, oneCheck, type Tally } from './suite/tally.ts';

const words = process.argv.slice(2);
const isChosen = ({ name }: Part): boolean => words.length === 0 || words.some((word) => name.includes(word));
const chosen = stages.map((lanes) => lanes.map((lane) => lane.filter(isChosen)));
const count = chosen.flat(2).length;
if (count === 0) {
  const names = stages.flat(2).map(({ name }) => name);
  console.error(`no part is named like ${words.join(', ')}; there are: ${names.join('; ')}`);
  process.exit(2);
}

let total: Tally = none;
let begun = 0;
const partLines: string[] = [];
for (const lanes of chosen) await Promise.all(lanes.map(runLane));

async function runLane(lane: Lane): Promise<void> {
  for (const part of lane) await runPart(part);
}

async function runPart(part: Part): Promise<void> {
  const startedMs = performance.now();
  begun += 1;
  const which = `[${begun}/${count}]`;
  console.log(`\n${which} ${part.name}`);
  const tally = await part.run().catch((error: unknown) => {
    console.error(error);
    return oneCheck(part.name, error instanceof Error ? error.message : String(error));
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const line = `${part.name}: ${closingLine(tally)} (${seconds} s)`;
  console.log(`${which} ${line}`);
  partLines.push(line);
  total = add(total, tally);
}

// The end of a long output is what people and machines see first: it says all that matters.
list('skipped', total.skippedNames);
list('parts', partLines);
list('passed at the second try; at the first they failed with', total.secondTries.map(inWords));
list('failed', total.failures.map(inWords));
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failures.length > 0 || total.passed === 0 ? 1 : 0;

function inWords({ name, why }: Failure): string {
  return `${name}\n${why.slice(0, 800).replace(/^/gm, '      ')}`;
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
