/** `robotgc capture --pid P -o FILE`: a bundle from one process of this machine. */
import type { Command } from 'commander';
import { type ProfileKind, profileKinds } from '../capture/index.ts';
import { outputFile } from './capture/output-file.ts';
import { pprofAddress } from './capture/pprof-address.ts';
import { captureBundle } from './capture/run.ts';
import { durationOption } from './duration-option.ts';
import { CliError, exitCodes } from './exit.ts';
import { printJson, say } from './output.ts';
import { signerFrom } from './signer.ts';
import { namedProcess } from './watch/process.ts';
import { userStop } from './watch/user-stop.ts';

interface CaptureOptions {
  readonly pid: string;
  readonly output: string;
  readonly pprof: string;
  readonly duration: string;
  readonly profiles: string;
  readonly key?: string;
}

export function register(program: Command): void {
  program
    .command('capture')
    .description('capture signals and profiles of a Go process into a bundle')
    .requiredOption('--pid <pid>', 'process to capture from')
    .requiredOption('-o, --output <file>', 'where the bundle goes')
    .option('--pprof <url>', 'where its net/http/pprof listens', 'http://127.0.0.1:6060/debug/pprof')
    .option('--duration <time>', 'length of the CPU profile, the trace and the signals', '10s')
    .option('--profiles <kinds>', `comma-separated, of ${profileKinds.join(', ')}`, 'cpu,heap,allocs,goroutine,trace')
    .option('--key <file>', 'ed25519 private key, PEM, to sign with')
    .action(async (options: CaptureOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: CaptureOptions): Promise<number> {
  const durationMs = durationOption(options.duration);
  const profiles = profilesOption(options.profiles);
  const address = pprofAddress(options.pprof);
  const file = outputFile(options.output);
  const sign = options.key === undefined ? {} : { sign: signerFrom(options.key) };
  const named = namedProcess(options.pid);
  using stop = userStop(null);
  say(`capturing from ${named.comm} (process ${named.pid}) for ${options.duration}`);
  const request = { process: named, address, profiles, durationMs, file, ...sign };
  const outcome = await captureBundle({ ...request, say, signal: stop.signal }).catch((error: unknown) => {
    if (stop.signal.aborted) return null;
    throw error;
  });
  if (!outcome) {
    say('stopped; nothing was written');
    return exitCodes.environment;
  }
  for (const { kind, message } of outcome.report.failures) say(`without ${kind}: ${message}`);
  const { sha256, sizeBytes, windows, manifest, report } = outcome;
  printJson({
    file,
    sha256,
    sizeBytes,
    windows,
    via: report.via ?? null,
    files: manifest.files.map(({ path }) => path),
    failures: report.failures,
  });
  say(`${file} written; check it with: robotgc bundle verify ${file}`);
  return exitCodes.ok;
}

function profilesOption(text: string): ProfileKind[] {
  const asked = text.split(',').map((kind) => kind.trim());
  const unknown = asked.find((kind) => !profileKinds.some((known) => known === kind));
  if (unknown !== undefined) {
    throw new CliError(
      exitCodes.usage,
      `--profiles ${text}: ${JSON.stringify(unknown)} is none of ${profileKinds.join(', ')}`,
    );
  }
  return profileKinds.filter((kind) => asked.includes(kind));
}
