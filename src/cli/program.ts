/** The subcommands, each a file of its own, loaded only when it is asked for. */
import { Command } from 'commander';
import { CliError, type ExitCode, exitCodes } from './exit.ts';
import { say } from './output.ts';
import { version } from './version.ts';

interface Subcommand {
  readonly register: (program: Command) => void;
}

const subcommands: Readonly<Record<string, () => Promise<Subcommand>>> = {
  watch: () => import('./watch.ts'),
  explain: () => import('./explain.ts'),
  tune: () => import('./tune.ts'),
  lint: () => import('./lint.ts'),
  capture: () => import('./capture.ts'),
  bundle: () => import('./bundle.ts'),
  approve: () => import('./approve.ts'),
  operator: () => import('./operator.ts'),
  agent: () => import('./agent.ts'),
};

/**
 * Runs one command line; what it prints goes to stdout and stderr.
 *
 * @param args without the program's own name
 * @returns the exit code where the command line itself decides it, else undefined: the subcommand has set `process.exitCode`
 */
export async function run(args: readonly string[]): Promise<ExitCode | undefined> {
  const program = new Command('robotgc')
    .description('Keeps Go services inside their latency SLA')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(robotgc --help shows how to use it)');
  // All of them for help and for what is none of them: commander then says what there is.
  const asked = Object.hasOwn(subcommands, args[0] ?? '') ? subcommands[args[0] ?? ''] : undefined;
  const loaders = asked ? [asked] : Object.values(subcommands);
  for (const { register } of await Promise.all(loaders.map((load) => load()))) register(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CliError) {
      say(`robotgc: ${error.message}`);
      return error.exitCode;
    }
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')) {
      return 'exitCode' in error && error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    throw error;
  }
}
