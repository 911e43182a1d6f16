/** `npm run bench -- [name]`: results as JSON on stdout, progress and a table on stderr. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { calibrate, control } from './control/control.ts';
import { SHAPES } from './control/shapes.ts';
import { type EffectPart, effect, effectParts } from './effect.ts';
import { BenchError } from './errors.ts';
import { firstEvent } from './first-event.ts';
import { footprint } from './footprint.ts';
import { loss } from './loss.ts';
import { pauses } from './pauses.ts';
import { type OverheadOptions, probeOverhead } from './probe-overhead.ts';
import { scale } from './scale.ts';
import { ROBOT_SHAPES } from './shapes/loads.ts';
import { shapes } from './shapes/shapes.ts';
import { type BenchResult, table } from './table.ts';

const say = (sentence: string): void => console.error(`bench: ${sentence}`);

function report(result: BenchResult): void {
  console.error(table(result));
  console.log(JSON.stringify(result));
  if (isBroken(result)) process.exitCode = 1;
}

/** Whether a promise of the product's was seen not to hold. */
function isBroken(result: BenchResult): boolean {
  switch (result.bench) {
    case 'pauses':
      return !result.equal;
    case 'probe-overhead':
      return result.verdict === 'missed';
    case 'scale':
      return !result.isWithinBudget;
    case 'loss':
    case 'effect':
    case 'control':
    case 'shapes':
      return !result.held;
    case 'footprint':
    case 'first-event':
    case 'control-real':
      return false;
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('write a whole number from 1 up.');
  return value;
}

function several(text: string, earlier: readonly number[]): number[] {
  return [...earlier, positive(text)];
}

const strings = (text: string, earlier: readonly string[]): string[] => [...earlier, text];

/** A cluster is taken down before the process ends. */
function interrupted(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new BenchError('INTERRUPTED', 'interrupted')));
  return stop.signal;
}

interface ScaleFlags {
  readonly containers: readonly number[];
  readonly seconds: number;
  readonly soak?: number;
  readonly nodeArg: readonly string[];
}

/** Containers for which the cost is a promise, and some between. */
const curve = [1, 50, 250];

interface ControlFlags {
  readonly shape?: readonly string[];
  readonly seeds: number;
  readonly tell?: boolean;
  readonly real?: boolean;
  readonly seconds: number;
}

interface OverheadFlags {
  readonly rounds: number;
  readonly seconds: number;
  readonly latencySeconds: number;
  readonly gogc: number;
  readonly throughput: boolean;
  readonly latency: boolean;
  readonly peers: boolean;
}

function overheadOptions(flags: OverheadFlags): OverheadOptions {
  const { rounds, seconds, latencySeconds, gogc, peers } = flags;
  return {
    gogc,
    peers,
    throughput: flags.throughput ? { rounds, seconds } : null,
    latency: flags.latency ? { rounds, seconds: latencySeconds } : null,
    say,
  };
}

const program = new Command('bench').description(
  'measures the product against the real thing; without a name: all but footprint, effect, control and shapes, in a short form',
);

// Commander's own errors are misuse; asking for help is none.
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

program
  .command('pauses')
  .description("the probe's pauses against the robot's own histogram, bucket by bucket; exit 1 when they differ")
  .option('--seconds <n>', 'how long the robot works', positive, 60)
  .option('--gogc <n>', "the robot's GOGC", positive, 10)
  .action(async ({ seconds, gogc }: { seconds: number; gogc: number }) => report(await pauses({ seconds, gogc, say })));

program
  .command('probe-overhead')
  .description(
    'what being watched costs a robot in throughput and latency, beside bpftrace and gctrace; exit 1 below 0.99 of the throughput',
  )
  .option('--rounds <n>', 'how often each is measured twice', positive, 20)
  .option('--seconds <n>', 'length of one measurement of throughput', positive, 3)
  .option('--latency-seconds <n>', 'length of one measurement of latency', positive, 6)
  .option('--gogc <n>', "the robot's GOGC", positive, 100)
  .option('--no-throughput', 'only the latency')
  .option('--no-latency', 'only the throughput')
  .option('--no-peers', 'without bpftrace and gctrace')
  .action(async (flags: OverheadFlags) => report(await probeOverhead(overheadOptions(flags))));

program
  .command('footprint')
  .description('memory and CPU of the agent, operator, watch and probe processes on this machine')
  .option('--seconds <n>', 'how long to look', positive, 30)
  .option('--pid <pid>', 'this process and its descendants; may be given several times', several, [])
  .action(async ({ seconds, pid }: { seconds: number; pid: readonly number[] }) =>
    report(await footprint({ seconds, pids: pid, say })),
  );

program
  .command('scale')
  .description('CPU and memory of the real agent for more and more containers; exit 1 above 1 % of a core or 100 MB')
  .option('--containers <n>', 'how many; may be given several times (default: 1, 50, 250)', several, [])
  .option('--seconds <n>', 'length of one measurement', positive, 30)
  .option('--soak <n>', 'seconds until the last is measured once more; 600 fills ten minutes of history', positive)
  .option('--node-arg <arg>', 'for the Node.js of the agent; may be given several times', strings, [])
  .action(async ({ containers, seconds, soak, nodeArg }: ScaleFlags) =>
    report(
      await scale({
        containers: containers.length > 0 ? containers : curve,
        seconds,
        soakSeconds: soak ?? 0,
        nodeArgs: nodeArg,
        say,
      }),
    ),
  );

program
  .command('loss')
  .description('a thousand collections a second over all processes, none of which may be lost; exit 1 when one is')
  .option('--processes <n>', 'how many collect', positive, 250)
  .option('--rate <n>', 'collections a second of all of them together', positive, 1250)
  .option('--seconds <n>', 'for how long', positive, 30)
  .action(async ({ processes, rate, seconds }: { processes: number; rate: number; seconds: number }) =>
    report(await loss({ processes, rate, seconds, say })),
  );

program
  .command('first-event')
  .description('time from the order to attach, from the start of a program and from that of watch to the first event')
  .option('--runs <n>', 'how often', positive, 30)
  .action(async ({ runs }: { runs: number }) => report(await firstEvent({ runs, say })));

program
  .command('effect')
  .description(
    'time from a breach until Live or Resize is in effect and verified, on a local cluster (needs root); exit 1 when later than promised',
  )
  .option('--runs <n>', 'how often each', positive, 30)
  .addOption(new Option('--only <part...>', 'some of the parts').choices(effectParts))
  .action(async ({ runs, only }: { runs: number; only?: readonly EffectPart[] }) =>
    report(await effect({ runs, parts: only ?? effectParts, signal: interrupted(), say })),
  );

program
  .command('control')
  .description(
    'seconds in which the SLA is broken under shapes of load, in a simulator: the product, simple controllers, the best setting; exit 1 when another does better',
  )
  .addOption(new Option('--shape <name...>', 'some of the shapes').choices(SHAPES.map(({ name }) => name)))
  .option('--seeds <n>', 'how often each, with other noise', positive, 1)
  .option('--tell', 'what the product does, second by second')
  .option('--real', "the simulator's programs beside real robots instead, for --seconds each; needs a quiet machine")
  .option('--seconds <n>', 'length of one measurement of a robot', positive, 15)
  .action(async ({ shape, seeds, tell = false, real = false, seconds }: ControlFlags) => {
    if (real) return report(await calibrate({ seconds, signal: interrupted(), say }));
    const shapes = SHAPES.filter(({ name }) => shape?.includes(name) ?? true);
    report(control({ shapes, seeds, isTold: tell, say }));
  });

program
  .command('shapes')
  .description(
    'the same with real robots on a local cluster (needs root), all at the same time; exit 1 when another does better by more than chance',
  )
  .addOption(new Option('--shape <name...>', 'some of the shapes').choices(ROBOT_SHAPES.map(({ name }) => name)))
  .option('--seconds <n>', 'length of a shape; the slow leak takes twice as long', positive, 150)
  .action(async ({ shape, seconds }: { shape?: readonly string[]; seconds: number }) => {
    const some = ROBOT_SHAPES.filter(({ name }) => shape?.includes(name) ?? true);
    report(await shapes({ shapes: some, seconds, signal: interrupted(), say }));
  });

program
  .command('all', { isDefault: true, hidden: true })
  .argument('[name...]')
  .action(async (names: readonly string[]) => {
    if (names.length > 0) throw new BenchError('USAGE', `there is no benchmark ${names.join(' ')}; see --help`);
    report(await pauses({ seconds: 60, gogc: 10, say }));
    const pace = { rounds: 6, seconds: 3 };
    report(await probeOverhead({ gogc: 100, peers: true, throughput: pace, latency: pace, say }));
    report(await loss({ processes: 250, rate: 1250, seconds: 10, say }));
    report(await firstEvent({ runs: 10, say }));
    report(await scale({ containers: curve, seconds: 20, soakSeconds: 0, nodeArgs: [], say }));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  say(error.message);
  process.exitCode = error.code === 'USAGE' ? 2 : 3;
}
