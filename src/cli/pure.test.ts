import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from './program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const example = join(root, 'examples/policy.yaml');
const furtherSignals = join(root, 'examples/further-signals.yaml');
const bad = join(root, 'src/cli/testdata/bad-policy.yaml');

/** The command in this process, with what it writes caught. */
async function robotgc(...args: string[]) {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    const status = (await run(args)) ?? process.exitCode;
    return { status, ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'robotgc-cli-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

it.each(readdirSync(join(root, 'examples')))('robotgc lint finds no error in examples/%s', async (name) => {
  expect((await robotgc('lint', '-f', join(root, 'examples', name))).stderr).toContain('1 policy in 1 file: 0 errors');
});

describe('robotgc explain', () => {
  it('prints every threshold with formula and inputs as JSON', async () => {
    const { status, stdout, stderr } = await robotgc('explain', '-f', example, '-o', 'json');
    const { policy, thresholds } = JSON.parse(stdout);
    expect([status, stderr, policy]).toEqual([0, '', 'dispatch']);
    expect(thresholds).toContainEqual(
      expect.objectContaining({
        signal: 'gcStallP99',
        limit: 30e6,
        unit: 'ns',
        formula: 'latencyP99 × gcShareOfLatency',
      }),
    );
    expect(thresholds).toContainEqual(expect.objectContaining({ signal: 'heapEmergencies', limit: 1 }));
  });

  it('prints them for people', async () => {
    const { stdout } = await robotgc('explain', '-f', example);
    expect(stdout).toContain('gcStallP99  ≤ 30 ms\n    = latencyP99 × gcShareOfLatency\n    with latencyP99 200ms');
    expect(stdout).toContain('552620.42 per hour');
  });

  it('shows the limits of further signals in their units, and names the signals without one', async () => {
    const { stdout } = await robotgc('explain', '-f', furtherSignals);
    expect(stdout).toContain(
      'gcPauseMax  ≤ 10 ms\n    = max(STW pauses of a window)\n    with gcPauseMax 10ms, breach 3 of 5',
    );
    expect(stdout).toContain('gcRate  ≤ 8/s\n');
    expect(stdout).toContain('liveHeapShareOfLimit  ≤ 60 %\n');
    expect(stdout).toContain('gcLimiter  ≤ off\n');
    expect(stdout).toMatch(/without a limit, and not judged: gcPauseP99, .*heapLive/);
  });

  it('names the runbooks of the policy in their order', async () => {
    const guarded = join(root, 'examples', 'guarded.yaml');
    const { runbooks } = JSON.parse((await robotgc('explain', '-f', guarded, '-o', 'json')).stdout);
    expect(runbooks.map(({ name }: { name: string }) => name)).toEqual([
      'RaiseGogc',
      'HoldHeapBack',
      'RaiseMemoryLimit',
    ]);
    const { stdout } = await robotgc('explain', '-f', example);
    expect(stdout).toMatch(/RaiseGogc {2}against GogcTooLow: raises GOGC .*\n {4}RaiseGoMemLimit {2}against/);
  });

  it('takes a bare spec without a selector: outside Kubernetes there is none', async () => {
    expect((await robotgc('explain', '-f', file('spec.yaml', 'sla: {latencyP99: 100ms}\n'), '-o', 'json')).status).toBe(
      0,
    );
  });
});

describe('robotgc tune', () => {
  it.each<[string[], unknown]>([
    [['--active', '5000'], { gogc: 50, clampedBy: [] }],
    [['--active', '10000'], { gogc: 100, clampedBy: [] }],
    [['--active', '20000'], { gogc: 200, clampedBy: [] }],
    [['--active', '20000', '--gogc', '10'], { gogc: 20, clampedBy: ['maxStep'] }],
    [['--active', '20000', '--gogc', 'off'], { gogc: 200 }],
    [
      ['--active', '20000', '--heap-live', '100Mi', '--non-go', '20Mi', '--memory-limit', '200Mi'],
      { gogc: 60, clampedBy: ['memory'] },
    ],
  ])('%j', async (args, result) => {
    const { status, stdout } = await robotgc('tune', '-f', example, ...args, '-o', 'json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ...Object(result), reason: expect.any(String) });
  });

  it('prints a line for a shell, and the computation beside it', async () => {
    const { stdout, stderr } = await robotgc('tune', '-f', example, '--active', '10000');
    expect(stdout).toBe('GOGC=100\n');
    expect(stderr).toContain('formula: 50 × (1 + (10000 − 5000) ÷ 5000) = 100');
  });

  it('ends with 1 and sets nothing where no GOGC fits', async () => {
    const { status, stdout, stderr } = await robotgc(
      'tune',
      '-f',
      example,
      '--active',
      '1',
      '--heap-live',
      '100Mi',
      '--memory-limit',
      '100Mi',
    );
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('more memory is the remedy');
  });

  it.each([
    [['--active', 'many']],
    [['--active', '-1']],
    [['--active', '1', '--heap-live', 'big']],
    [['--active', '1', '--gogc', 'on']],
    [[]],
  ])('ends with 2 for %j', async (args) => {
    const { status, stderr } = await robotgc('tune', '-f', example, ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/write a|required option/);
  });
});

describe('a policy file', () => {
  it.each<[string, string, RegExp]>([
    ['is missing', '', /cannot read .*ENOENT/],
    ['is no YAML', 'a: [1\n', /is not YAML/],
    ['refers to nothing', 'sla: *nowhere\n', /is not YAML: Unresolved alias/],
    ['holds no policy', 'kind: Pod\n', /holds no RobotGCPolicy/],
    ['holds two', 'sla: {}\n---\nsla: {}\n', /holds 2 policies/],
    [
      'has a bad field',
      '\n\nsla:\n  latencyP99: fast\n',
      /line 4, spec\.sla\.latencyP99: write a duration such as 200ms/,
    ],
  ])('that %s ends with 2 and says so', async (name, text, sentence) => {
    const path = text === '' ? join(directory, 'nowhere.yaml') : file(`${name}.yaml`, text);
    const { status, stdout, stderr } = await robotgc('explain', '-f', path);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(sentence);
  });
});

describe('robotgc lint', () => {
  it('finds nothing in the examples', async () => {
    const { status, stdout, stderr } = await robotgc('lint', '-f', example, furtherSignals);
    expect([status, stdout, stderr]).toEqual([0, '', '2 policies in 2 files: 0 errors, 0 warnings\n']);
  });

  it('names file, line and column, and ends with 1', async () => {
    const { status, stdout } = await robotgc('lint', '-f', example, bad);
    expect(status).toBe(1);
    expect(stdout.split('\n')[0]).toMatch(
      /src\/cli\/testdata\/bad-policy\.yaml:13:5: error: spec\.sla\.latencyP99: write/,
    );
  });

  it('gives the same as JSON, and errors alone when asked', async () => {
    const all = JSON.parse((await robotgc('lint', '-f', bad, '-o', 'json')).stdout);
    const errors = JSON.parse((await robotgc('lint', '-f', bad, '--no-warnings', '-o', 'json')).stdout);
    expect([all.ok, all.policies, all.findings.length, errors.findings.length]).toEqual([false, 3, 7, 4]);
  });
});

describe('the command', () => {
  it.each([
    [['--help'], 0],
    [['explain', '--help'], 0],
    [[], 2],
    [['bogus'], 2],
    [['explain'], 2],
    [['lint', '-f', example, '-o', 'xml'], 2],
  ])('robotgc %j ends with %d', async (args, code) => expect((await robotgc(...args)).status).toBe(code));

  it('is the same as a process of its own', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'src/cli/main.ts'), 'tune', '-f', example, '--active', '1e3'],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('write a whole number');
  });
});
