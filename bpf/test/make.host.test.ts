/** Runs the C tests with everything else: unit tests under sanitizers and a short fuzz run. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bpf = fileURLToPath(new URL('..', import.meta.url));

it('passes "make test" in bpf/: unit tests under ASan and UBSan, five seconds of fuzzing', () => {
  const output = execFileSync('make', ['-s', '-C', bpf, 'test'], { encoding: 'utf8' });
  const suites = output.match(/^\w+: [1-9]\d* checks, 0 failed$/gm) ?? [];
  expect(suites.map((line) => line.split(':')[0])).toEqual([
    'histogram',
    'command',
    'lines',
    'controller',
    'file_bytes',
    'emit',
  ]);
  expect(output).toMatch(/fuzz: [1-9]\d* inputs, none did harm/);
});

it('builds one static binary', () => {
  execFileSync('make', ['-s', '-C', bpf]);
  const headers = execFileSync('readelf', ['-lW', `${bpf}/build/robotgc-probe`], { encoding: 'utf8' });
  expect(headers).not.toContain('INTERP');
});
