/** What the tests on real processes stand on, and where it is missing, in words. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locateProbe } from '../locate.ts';

/** Why tests with the real probe cannot run here; empty when they can. Goes into the tests' names. */
export function missingGround(): string {
  if (process.getuid?.() !== 0) return ' (skipped: needs root)';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return ' (skipped: needs a kernel with BPF and BTF)';
  if (!answers('go', 'version')) return ' (skipped: needs a Go toolchain)';
  return '';
}

/** Builds the probe if need be and gives its path. */
export function buildProbe(): string {
  execFileSync('make', ['-s', '-C', fileURLToPath(new URL('../../../../bpf', import.meta.url))], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return locateProbe();
}

function answers(command: string, argument: string): boolean {
  try {
    execFileSync(command, [argument], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A new folder that everybody may read and that is gone when the tests have ended. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `robotgc-${name}-`));
  chmodSync(folder, 0o755);
  onTestsEnd.push(folder);
  return folder;
}

const onTestsEnd: string[] = [];

/** For `afterAll`. */
export function removeTemporaryFolders(): void {
  for (const folder of onTestsEnd.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
