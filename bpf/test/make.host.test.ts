/** Runs the C tests with everything else: unit tests under sanitizers and a short fuzz run. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bpf = fileURLToPath(new URL('..', import.meta.url));

it('passes "make test" in bpf/: unit tests under ASan and UBSan, five seconds of fuzzing', () => {
  const output = execFileSync('make', ['-s', '-C', bpf, 'test'], { encoding: 'utf8' });
  const suites = output.match(/^\w+: [1-9]\d* checks, 0 failed$/gm) ?? [];
  expect(suites.map((line) => line.split(':')[0])).toEqual([
    'histogram',
    'command',
    'instructions',
    'lines',
    'controller',
    'file_bytes',
    'output',
    'emit',
    'sampling',
    'shared_buckets',
  ]);
  expect(output).toMatch(/fuzz: [1-9]\d* inputs, none did harm/);
});

it.each(['x86', 'arm64'])('the BPF programs compile for %s', (machine) => {
  const build = mkdtempSync(join(tmpdir(), 'robotgc-bpf-'));
  try {
    const objects = join(build, 'programs.o');
    execFileSync('make', ['-s', '-C', bpf, `BUILD=${build}`, `ARCH=${machine}`, objects]);
    expect(execFileSync('readelf', ['-SW', objects], { encoding: 'utf8' })).toContain('uprobe');
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
});

/** Of Debian's libc6-dev-arm64-cross. */
const hasArm64Headers = existsSync('/usr/aarch64-linux-gnu/include/stdio.h');

it.skipIf(!hasArm64Headers)(
  `the loader compiles for arm64${hasArm64Headers ? '' : ' (skipped: no headers of its C library)'}`,
  () => {
    const build = mkdtempSync(join(tmpdir(), 'robotgc-bpf-'));
    try {
      execFileSync('make', ['-s', '-C', bpf, `BUILD=${build}`, 'ARCH=arm64', 'check-arm64'], { stdio: 'pipe' });
    } finally {
      rmSync(build, { recursive: true, force: true });
    }
  },
);

it('builds one static binary', () => {
  execFileSync('make', ['-s', '-C', bpf]);
  const headers = execFileSync('readelf', ['-lW', `${bpf}/build/robotgc-probe`], { encoding: 'utf8' });
  expect(headers).not.toContain('INTERP');
});
