/** The scrape against Prometheus's own client library, in both formats, and against its own parser. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scrapeActivity } from './activity.ts';
import { acceptedFormats, formatOf, sumMetric } from './exposition.ts';

const missing = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0 ? undefined : 'needs the Go toolchain';

describe.skipIf(missing !== undefined)(`Prometheus's own formats${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder = '';
  let base = '';
  let stop = (): void => {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'robotgc-metrics-'));
    const program = join(folder, 'metrics');
    execFileSync('go', ['build', '-buildvcs=false', '-trimpath', '-p', '2', '-o', program, '.'], {
      cwd: join(import.meta.dirname, 'testdata/metrics'),
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      stdio: 'inherit',
    });
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    stop = () => child.stdin.end();
    base = await new Promise((resolve) => {
      createInterface(child.stdout).once('line', (address) => resolve(`http://${address}`));
    });
  });
  afterAll(() => {
    stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const scrape = (path: string, name: string, labels: Record<string, string> = {}) =>
    scrapeActivity({ url: base + path, name, labels, timeoutMs: 5000 });

  it('gets OpenMetrics where both are offered', async () => {
    const answer = await fetch(`${base}/metrics`, { headers: { accept: acceptedFormats } });
    expect(formatOf(answer.headers.get('content-type') ?? undefined)).toBe('openmetrics');
    const text = await answer.text();
    // What makes the format another one is really there.
    for (const part of [
      '# EOF\n',
      ' # {trace_id="x\\" } # {"} 7.5 ',
      'robot_messages_created{',
      '# TYPE robot_messages counter\n',
    ])
      expect(text).toContain(part);
  });

  it.each<[string, Record<string, string>, number]>([
    ['robot_active_sessions', {}, 2000.501],
    ['robot_active_sessions', { tenant: 'plain' }, 1200],
    ['robot_active_sessions', { tenant: 'q"uo\\te\nd } # EOF' }, 800.5],
    ['robot_active_sessions', { tenant: 'ünïcode' }, 0.001],
    ['robot_messages_total', {}, 15],
    ['robot_messages_total', { kind: 'a' }, 7.5],
    ['robot_logins', {}, 3],
    ['robot_latency_seconds_bucket', { le: '0.1' }, 1],
    ['robot_latency_seconds_count', {}, 3],
  ])('%s %j is %d in both formats', async (name, labels, value) => {
    for (const path of ['/metrics', '/text']) {
      const result = await scrape(path, name, labels);
      expect(result.kind === 'ok' ? result.value : result).toBeCloseTo(value, 9);
    }
  });

  it('sums what its parser sums, and refuses nothing that it reads', async () => {
    const label = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.toWellFormed());
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }).map(String),
      fc.constantFrom('NaN', '1e3', '.5', '5.', '+7', '-0', '1E-3'),
    );
    const space = fc.constantFrom(' ', '  ', '\t');
    const escaped = (text: string): string =>
      text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const time = fc.option(fc.integer({ min: 0, max: 2e12 }), { nil: undefined });
    const line = fc.tuple(fc.constantFrom('m', 'm_other', 'mm'), label, value, space, time);
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('gauge', 'counter', 'untyped'),
        async (lines, type) => {
          const text = `# HELP m Robots.\n# TYPE m ${type}\n${lines
            .map(
              ([name, l, v, s, t], index) =>
                `${name}{i="${index}",l="${escaped(l)}"}${s}${v}${t === undefined ? '' : s + t}\n`,
            )
            .join('')}`;
          const response = await fetch(`${base}/sum?name=m`, { method: 'POST', body: text });
          expect(response.status, text).toBe(200);
          const theirs = z.object({ value: z.number(), samples: z.number() }).parse(await response.json());
          const ours = sumMetric(text, { name: 'm' });
          if (theirs.samples === 0) expect(ours).toEqual({ kind: 'missing' });
          else expect(ours).toEqual({ kind: 'ok', ...theirs });
        },
      ),
      { numRuns: 300 },
    );
  });
});
