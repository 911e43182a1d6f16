/** The parts of `npm test`, from the quickest to the slowest. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryNames, ensureBinaries } from '../cluster/binaries.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { ensureArm64 } from '../vm/arm64/supplies.ts';
import { ensureTools, whyNoVm } from '../vm/ground.ts';
import { ensureKernel, kernelVersions } from '../vm/kernels.ts';
import { readGo } from './reports.ts';
import { add, none, oneCheck, Tally } from './tally.ts';

export interface Part {
  readonly name: string;
  /** @param signal ends the part's own processes too */
  run(signal: AbortSignal): Promise<Tally>;
}

const check = (name: string, command: readonly string[], cwd = repositoryDir): Part => ({
  name,
  run: async (signal) => {
    const code = await show(command, { cwd, signal });
    return oneCheck(name, code === 0 ? undefined : `${command.join(' ')} exited with ${code}`);
  },
});

const vitest = (project: string): Part => ({
  name: `vitest: ${project}`,
  run: (signal) => runVitest(project, signal),
});

export const parts: readonly Part[] = [
  check('lint, format and the dependency rule', ['biome', 'check', '--error-on-warnings', '.']),
  check('types', ['tsc', '--noEmit']),
  vitest('unit'),
  vitest('fuzz'),
  check('robots: go vet', ['go', 'vet', './...'], join(repositoryDir, 'test/robots')),
  { name: 'robots: go test', run: runGo },
  check('probe: tests under ASan and UBSan', ['make', '-C', 'bpf', 'test']),
  { name: 'programs of the local cluster', run: buildCluster },
  { name: 'kernels of the virtual machines', run: fetchKernels },
  vitest('host-shared'),
  vitest('host'),
  // Each alone: what an emulated processor does is late where anything else runs.
  vitest('vm-cluster'),
  vitest('vm'),
  vitest('api'),
  vitest('e2e'),
];

/** Not a test, yet what the following parts stand on: built here, with progress, rather than within a test's time limit. */
async function buildCluster(signal: AbortSignal): Promise<Tally> {
  await ensureBinaries(binaryNames, { onProgress: (line) => console.error(line), signal });
  return none;
}

/** As above. */
async function fetchKernels(signal: AbortSignal): Promise<Tally> {
  if (whyNoVm() !== undefined) return none;
  const onProgress = (line: string) => console.error(line);
  await ensureTools(onProgress, signal);
  for (const version of kernelVersions) await ensureKernel(version, { onProgress, signal });
  await ensureArm64({ onProgress, signal });
  return none;
}

async function runVitest(project: string, signal: AbortSignal): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'robotgc-test-'));
  const file = join(folder, 'tally.json');
  try {
    const reporters = ['--reporter=default', '--reporter=./test/suite/vitest-tally.ts'];
    const command = ['vitest', 'run', `--project=${project}`, ...reporters];
    const code = await show(command, { cwd: repositoryDir, signal, env: { ROBOTGC_TALLY: file } });
    signal.throwIfAborted();
    const tally = Tally.parse(JSON.parse(await readFile(file, 'utf8')));
    return withExitCode(tally, `vitest: ${project}`, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A runner that is not content although each test passed has failed as a whole. */
function withExitCode(tally: Tally, name: string, code: number): Tally {
  return code === 0 || tally.failures.length > 0 ? tally : add(tally, oneCheck(name, `exited with ${code}`));
}

async function runGo(signal: AbortSignal): Promise<Tally> {
  const child = spawn('go', ['test', '-json', './...'], {
    cwd: join(repositoryDir, 'test/robots'),
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await exitOf(child);
  const tally = readGo(Buffer.concat(chunks).toString('utf8'));
  return withExitCode(tally, 'go test', code);
}

interface Showing {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

async function show([program = '', ...args]: readonly string[], { cwd, signal, env }: Showing): Promise<number> {
  const stdio = ['ignore', 'inherit', 'inherit'] as const;
  return exitOf(spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: [...stdio], signal }));
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 1));
  return promise;
}
