/**
 * `node written.ts CHURN GOGC`: what becomes of a GOGC that is written into a running program, by the writer and by the program's own runtime.
 * Prints one JSON object; judges nothing.
 */
import { openGcWriter } from '../../../src/host/gc-writer.ts';
import { openProc } from '../../../src/host/proc.ts';
import { globalsOf, identityOf } from '../../../src/host/testing/go-process.ts';
import { until } from '../../support/until.ts';
import { Talker } from './watched.ts';

const [churn = '', gogc = ''] = process.argv.slice(2);
const program = new Talker(churn, { GOGC: '100' });
const ask = async (request: string) => JSON.parse(await program.ask(request));

await ask('start');
await until('the first cycles', async () => (await ask('report')).numGC >= 3, 60_000, 100);
const globals = globalsOf(`/proc/${program.pid}/exe`);
const proc = openProc();
using writer = openGcWriter(proc, identityOf(proc, program.pid), globals);
const found = writer.read();
if (found === undefined) throw new Error('the program has ended');
const options = { signal: AbortSignal.timeout(60_000), timeoutMs: 30_000 };
const written = await writer.write({ gcPercent: Number(gogc) }, found.settings, options);
await until('an effect', async () => writer.effectOf(written) !== 'pending', 60_000, 100);
const effect = writer.effectOf(written);
const after = await ask('stop');
program.child.kill('SIGKILL');
console.log(JSON.stringify({ from: globals.gcControllerFrom, before: written.before, effect, after }));
