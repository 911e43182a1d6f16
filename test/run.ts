/** `npm test`: every part, one after the other, and one closing line. `npm test -- NAME…` runs the parts whose names hold one of the words. */
import { parts } from './suite/parts.ts';
import { add, closingLine, type Failure, none, oneCheck, type Tally } from './suite/tally.ts';

const words = process.argv.slice(2);
const chosen = parts.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no part is named like ${words.join(', ')}; there are: ${parts.map(({ name }) => name).join('; ')}`);
  process.exit(2);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`ended by ${name}`)));

let total: Tally = none;
const partLines: string[] = [];
for (const [index, part] of chosen.entries()) {
  if (stop.signal.aborted) break;
  const startedMs = performance.now();
  console.log(`\n[${index + 1}/${chosen.length}] ${part.name}`);
  const tally = await part.run(stop.signal).catch((error: unknown) => {
    console.error(error);
    return oneCheck(part.name, error instanceof Error ? error.message : String(error));
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const line = `${part.name}: ${closingLine(tally)} (${seconds} s)`;
  console.log(`[${index + 1}/${chosen.length}] ${line}`);
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
