/** The parts of `npm test`, from the quickest to the slowest. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryNames, ensureBinaries } from '../cluster/binaries.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { readGo, readVitest } from './reports.ts';
import { none, oneCheck, type Tally } from './tally.ts';

export interface Part {
  readonly name: string;
  run(): Promise<Tally>;
}

const check = (name: string, command: readonly string[], cwd = repositoryDir): Part => ({
  name,
  run: async () => oneCheck((await show(command, cwd)) === 0),
});

const vitest = (project: string): Part => ({ name: `vitest: ${project}`, run: () => runVitest(project) });

export const parts: readonly Part[] = [
  check('lint, format and the dependency rule', ['biome', 'check', '--error-on-warnings', '.']),
  check('types', ['tsc', '--noEmit']),
  vitest('unit'),
  vitest('fuzz'),
  check('robots: go vet', ['go', 'vet', './...'], join(repositoryDir, 'test/robots')),
  { name: 'robots: go test', run: runGo },
  check('probe: tests under ASan and UBSan', ['make', '-C', 'bpf', 'test']),
  { name: 'programs of the local cluster', run: buildCluster },
  vitest('host'),
  vitest('api'),
  vitest('e2e'),
];

/** Not a test, yet what the following parts stand on: built here, with progress, rather than within a test's time limit. */
async function buildCluster(): Promise<Tally> {
  await ensureBinaries(binaryNames, { onProgress: (line) => console.error(line) });
  return none;
}

async function runVitest(project: string): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'robotgc-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await show(['vitest', 'run', `--project=${project}`, ...reporters]);
    const tally = readVitest(await readFile(report, 'utf8'));
    // An error outside any test (an unhandled rejection) fails the run without failing a test.
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runGo(): Promise<Tally> {
  const child = spawn('go', ['test', '-json', './...'], {
    cwd: join(repositoryDir, 'test/robots'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await exitOf(child);
  const text = Buffer.concat(chunks).toString('utf8');
  const tally = readGo(text);
  if (tally.failed > 0) console.error(text);
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

async function show([program = '', ...args]: readonly string[], cwd = repositoryDir): Promise<number> {
  return exitOf(spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] }));
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 1));
  return promise;
}
