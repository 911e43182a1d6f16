/** `robotgc tune -f policy.yaml --active N`: the GOGC that the formula gives, and what clamped it. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { quantityBytes } from '../api/index.ts';
import { gogcOfSetting, tuneGogc } from '../model/index.ts';
import { exitCodes } from './exit.ts';
import { printJson, say } from './output.ts';
import { loadPolicy } from './policy-file.ts';

interface TuneOptions {
  readonly file: string;
  readonly active: number;
  readonly heapLive?: number;
  readonly roots?: number;
  readonly nonGo?: number;
  readonly memoryLimit?: number;
  readonly gogc?: number;
  readonly output: 'json' | 'text';
}

export function register(program: Command): void {
  program
    .command('tune')
    .description('compute GOGC by the tuning formula; exit 1 when none fits under the memory limit')
    .requiredOption('-f, --file <policy.yaml>', 'the policy')
    .requiredOption('--active <n>', 'active robots of the container', count)
    .option('--heap-live <size>', 'live heap after the last cycle, such as 180Mi or bytes', size)
    .option('--roots <size>', 'GC roots: stacks and globals (default: 0)', size)
    .option('--non-go <size>', 'memory that the Go runtime does not hold (default: 0)', size)
    .option('--memory-limit <size>', 'memory limit of the container', size)
    .option('--gogc <n>', 'GOGC in effect now, or off: the step limit starts from it', gogc)
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .action((options: TuneOptions) => {
      process.exitCode = run(options);
    });
}

function run({ file, active, heapLive, roots, nonGo, memoryLimit, gogc: currentGogc, output }: TuneOptions): number {
  const result = tuneGogc({
    active,
    currentGogc,
    heapLiveBytes: heapLive,
    rootsBytes: roots,
    nonGoBytes: nonGo,
    memoryLimitBytes: memoryLimit,
    tuning: loadPolicy(file).spec.tuning,
  });
  if (output === 'json') printJson(result);
  // Where nothing fits there is no value that should end up in anybody's environment.
  else if (result.fits) process.stdout.write(`GOGC=${result.gogc}\n`);
  if (output === 'text') for (const step of result.steps) say(`  ${step}`);
  say(result.reason);
  return result.fits ? exitCodes.ok : exitCodes.finding;
}

function count(text: string): number {
  if (!/^[0-9]{1,12}$/.test(text)) throw new InvalidArgumentError('write a whole number of 0 or more.');
  return Number(text);
}

function size(text: string): number {
  const bytes = quantityBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError('write a size such as 180Mi, 2Gi or a number of bytes.');
  return bytes;
}

function gogc(text: string): number {
  if (text !== 'off' && !/^-?[0-9]{1,9}$/.test(text))
    throw new InvalidArgumentError('write a number such as 100, or off.');
  return gogcOfSetting(text);
}
