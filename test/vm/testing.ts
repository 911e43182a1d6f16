/** Programs and scenarios of the tests in virtual machines. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryDir } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { builtBundle } from '../support/bundle.ts';
import type { SuiteMachine } from './suite.ts';

export interface Programs extends Disposable {
  readonly churn: string;
  readonly hog: string;
  readonly robotgc: string;
  readonly probe: string;
}

/** A scenario takes less than a minute on a machine that has nothing else to do. */
export const scenarioMs = 600_000;

/** The Go module of a program that takes memory as it is told. */
export const hogFolder = fileURLToPath(new URL('./testdata/hog', import.meta.url));

const sources = { churn: join(repositoryDir, 'src/host/probe/testdata/churn'), hog: hogFolder };

/** Built here, where that is quick, and seen in each machine at the same paths. */
export function buildPrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'robotgc-vm-programs-'));
  chmodSync(folder, 0o755);
  for (const [name, cwd] of Object.entries(sources)) {
    execFileSync('go', ['build', '-buildvcs=false', '-o', join(folder, name), '.'], {
      cwd,
      env: { ...process.env, CGO_ENABLED: '0' },
    });
  }
  return {
    churn: join(folder, 'churn'),
    hog: join(folder, 'hog'),
    robotgc: builtBundle(),
    probe: join(repositoryDir, 'bpf/build/robotgc-probe'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs a scenario in a machine, or without one on this. @returns the JSON object that it printed */
export async function runScenario(
  machine: SuiteMachine | undefined,
  name: 'direct-reclaim' | 'exactness' | 'killed' | 'limits' | 'pod-limits',
  args: readonly string[],
): Promise<unknown> {
  const command = [process.execPath, join(repositoryDir, `test/vm/scenarios/${name}.ts`), ...args];
  if (machine === undefined) return JSON.parse((await run(command)).stdout);
  // What one scenario has compiled, the next in the same machine finds.
  const env = { HOME: homedir(), PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: '/vm/disk/node' };
  const { code, stdout, stderr } = await (await machine()).run(command, { env, timeoutMs: scenarioMs });
  if (code !== 0) throw new Error(`${name} ended with ${code}\n${stdout.slice(-2000)}\n${stderr.slice(-4000)}`);
  return JSON.parse(stdout);
}
