import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { goObjdump } from './testing/go-objdump.ts';
import { buildRobot, runGo, testdata, whyNoToolchain } from './testing/go-toolchain.ts';
import { profileOf } from './testing/pgo-profile.ts';

const missing = whyNoToolchain();
const stw = 'runtime.startTheWorldWithSema';
const restart = 'runtime.gcMarkTermination.func3';

/**
 * A production CPU profile of a program that collects a lot has this call among its hot ones, and -pgo then inlines the very
 * function that ends every stop of mark termination.
 */
describe.skipIf(missing !== undefined)(
  `profile-guided optimisation${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it.each([
      ['1.23.12', 'amd64'],
      ['1.26.8', 'amd64'],
      ['1.26.8', 'arm64'],
    ] as const)('go%s on %s: a program whose STW function was inlined is refused', (version, processor) => {
      const env = processor === 'amd64' ? {} : { GOARCH: processor };
      const listed = (file: string) => goObjdump(version, file, restart, processor);
      const lines = listed(buildRobot(version, { name: 'plain', flags: [], cgo: false }, env));
      const call = lines.find((line) => line.text.startsWith(`CALL ${stw}(SB)`));
      const profile = profileOf({
        caller: restart,
        callerStartLine: lines[0]?.sourceLine ?? 0,
        callLine: call?.sourceLine ?? 0,
        callee: stw,
        calleeLine: 1,
      });
      const directory = mkdtempSync(join(tmpdir(), 'robotgc-pgo-'));
      try {
        writeFileSync(join(directory, 'cpu.pprof'), profile);
        const file = join(directory, 'robot');
        runGo(version, ['build', `-pgo=${directory}/cpu.pprof`, '-o', file, '.'], {
          cwd: `${testdata}robot`,
          env: { CGO_ENABLED: '0', ...env },
        });
        expect(listed(file).some((line) => line.text.startsWith(`CALL ${stw}(SB)`))).toBe(false);
        expect(planAttach(bytesReader(readFileSync(file)))).toMatchObject({
          kind: 'refused',
          reason: 'inlined',
          message: expect.stringContaining('from 3 places instead of 4'),
        });
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  },
);
