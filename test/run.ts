/** `npm test`: every part, one after the other, and one closing line. `npm test -- NAME…` runs the parts whose names hold one of the words. */
import { parts } from './suite/parts.ts';
import { add, closingLine, none, oneCheck, type Tally } from './suite/tally.ts';

const words = process.argv.slice(2);
const chosen = parts.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no part is named like ${words.join(', ')}; there are: ${parts.map(({ name }) => name).join('; ')}`);
  process.exit(2);
}

let total: Tally = none;
for (const [index, part] of chosen.entries()) {
  const startedMs = performance.now();
  console.log(`\n[${index + 1}/${chosen.length}] ${part.name}`);
  const tally = await part.run().catch((error: unknown) => {
    console.error(error);
    return oneCheck(false);
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`[${index + 1}/${chosen.length}] ${part.name}: ${closingLine(tally)} (${seconds} s)`);
  total = add(total, tally);
}
if (total.skippedNames.length > 0)
  console.log(`\nskipped:\n${total.skippedNames.map((name) => `  ${name}`).join('\n')}`);
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
