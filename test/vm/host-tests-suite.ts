/** Tests that run on whatever machine they find themselves on, run in one with another kernel and pure cgroup v2. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryDir } from '../cluster/paths.ts';
import type { SuiteMachine } from './suite.ts';
import { scenarioMs } from './testing.ts';

export function hostTests(machine: SuiteMachine, files: readonly string[]): void {
  it.each(files)(
    '%s holds there too, and nothing of it is skipped',
    async (file) => {
      const vitest = join(repositoryDir, 'node_modules/vitest/vitest.mjs');
      const { code, stdout, stderr } = await (await machine()).run(
        [process.execPath, vitest, 'run', '--project', 'host', '--no-color', file],
        {
          cwd: repositoryDir,
          env: { HOME: homedir(), PATH: process.env.PATH ?? '' },
          timeoutMs: scenarioMs - 10_000,
        },
      );
      expect(code, `${stdout.slice(-4000)}\n${stderr.slice(-2000)}`).toBe(0);
      expect(stdout).toMatch(/Tests\s+[1-9]\d* passed/);
      expect(stdout).not.toContain('skipped');
    },
    scenarioMs,
  );
}
