/** `robotgc watch --pid P`: every GC pause of a Go program, from outside, held against a policy. */
import { type Command, Option } from 'commander';
import type { RobotGCPolicy } from '../api/index.ts';
import { deriveThresholds } from '../model/index.ts';
import { durationOption } from './duration-option.ts';
import { printJson, say } from './output.ts';
import { loadPolicy } from './policy-file.ts';
import { signerFrom } from './signer.ts';
import { boundedLines } from './watch/bounded-lines.ts';
import { duration, percent } from './watch/format.ts';
import { unreadLine } from './watch/objects.ts';
import { ndjsonPrinter, type Printer, textPrinter } from './watch/printer.ts';
import { namedProcess } from './watch/process.ts';
import { watch } from './watch/run.ts';
import { userStop } from './watch/user-stop.ts';

interface WatchOptions {
  readonly pid: string;
  readonly file?: string;
  readonly duration?: string;
  readonly output: 'ndjson' | 'text';
  readonly reads?: boolean;
  readonly bundles: string;
  readonly key?: string;
}

export function register(program: Command): void {
  program
    .command('watch')
    .description('watch the garbage collection of a Go process on this machine; with a policy in mode Auto, heal it')
    .requiredOption('--pid <pid>', 'process to watch')
    .option('-f, --file <policy.yaml>', 'hold what is seen against this policy; exit 1 after a breach')
    .option('--bundles <directory>', 'where the evidence of a breach goes in mode Auto', '.')
    .option('--key <file>', 'ed25519 private key, PEM, to sign that with')
    .option('--duration <time>', 'how long, such as 20s or 5m (default: until it ends or Ctrl-C)')
    .option(
      '--reads',
      'tell reads that wait for data for 1 ms and longer, 32 a second; each read that waits costs the program some µs',
    )
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'ndjson']).default('text'))
    .action(async (options: WatchOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: WatchOptions): Promise<number> {
  const policy = options.file === undefined ? null : loadPolicy(options.file);
  const limitMs = options.duration === undefined ? null : durationOption(options.duration);
  const named = namedProcess(options.pid);
  const sign = options.key === undefined ? {} : { sign: signerFrom(options.key) };
  const evidence = { directory: options.bundles, ...sign };
  if (policy) say(promise(policy));
  using stop = userStop(limitMs);
  const printer = printerFor(options, policy);
  const reads = options.reads ?? false;
  return await watch({ process: named, policy, printer, reads, evidence, say, signal: stop.signal });
}

function printerFor(options: WatchOptions, policy: RobotGCPolicy | null): Printer {
  if (options.output === 'ndjson') {
    const told = (lines: number): void => printJson(unreadLine(lines));
    return ndjsonPrinter(boundedLines(process.stdout, told), policy?.metadata.name ?? '');
  }
  const write = boundedLines(process.stdout, (lines) => say(`${lines} lines were not printed: nobody read them`));
  const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  return textPrinter(write, policy ? deriveThresholds(policy.spec) : null, colour);
}

function promise({ metadata: { name }, spec }: RobotGCPolicy): string {
  const limits = deriveThresholds(spec);
  const sentence = `policy ${name}: GC stall P99 ≤ ${duration(limits.gcStallP99Ns)}, GC CPU ≤ ${percent(limits.gcCpuShare)}, breach when ${limits.breach.windows} of ${limits.breach.of} seconds are over`;
  const { mode, apply } = spec.actions;
  if (mode !== 'Auto') return sentence;
  if (spec.tuning.continuous)
    return `${sentence}; mode Auto: GOGC is set in the running process and put back if that does not help, and follows the active robots without a breach too`;
  return apply.includes('Live')
    ? `${sentence}; mode Auto: GOGC is set in the running process, and put back if that does not help`
    : `${sentence}; mode Auto acts in a cluster; here it would if actions.apply allowed Live`;
}
