/** The whole loader, not only its pure parts, under ASan and UBSan, on real processes: leaks at its end included. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { missingGround, removeTemporaryFolders, temporaryFolder } from '../../src/host/probe/testing/ground.ts';

const bpf = fileURLToPath(new URL('..', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const missing = missingGround();
/** Of the probe's tests those that hold it to no bound of time, memory or privileges: sanitizers need more of each. */
const chosen = [
  'what it refuses',
  'what it watches',
  'triggers of memory pressure',
  'in a pid namespace',
  'its version',
];

afterAll(removeTemporaryFolders);

it.skipIf(missing !== '')(`does no harm to memory and leaks none${missing}`, () => {
  execFileSync('make', ['-s', '-C', bpf, 'all', 'sanitized']);
  const reports = temporaryFolder('sanitizers');
  const options = `log_path=${join(reports, 'report')}`;
  const tests = 'src/host/probe/probe.host.test.ts';
  execFileSync('npx', ['vitest', 'run', '--project', 'host', tests, '-t', chosen.join('|')], {
    cwd: root,
    env: {
      ...process.env,
      ROBOTGC_PROBE: join(bpf, 'build/test/robotgc-probe'),
      ASAN_OPTIONS: `${options}:detect_leaks=1`,
      UBSAN_OPTIONS: `${options}:print_stacktrace=1`,
    },
    encoding: 'utf8',
    stdio: 'pipe',
  });
  expect(readdirSync(reports).map((file) => readFileSync(join(reports, file), 'utf8'))).toEqual([]);
});
