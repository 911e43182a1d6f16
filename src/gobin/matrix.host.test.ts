import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { goVersion, planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { checkExits } from './testing/exit-oracle.ts';
import { goNm, goObjdump } from './testing/go-objdump.ts';
import { buildRobot, buildTool, runGo, supportedToolchains, variants, whyNoToolchain } from './testing/go-toolchain.ts';
import type { AttachPlan, AttachPointName } from './types.ts';

/**
 * Real programs of every supported Go version, built in every way that changes where code lies, against Go's own tools.
 * The programs are kept in the user's cache directory.
 */
const missing = whyNoToolchain();
const buildTimeoutMs = 600_000;

const functions: readonly { symbol: string; entry: AttachPointName; returns: AttachPointName | null }[] = [
  { symbol: 'runtime.startTheWorldWithSema', entry: 'stwEntry', returns: 'stwRet' },
  { symbol: 'runtime.gcAssistAlloc', entry: 'assistEntry', returns: 'assistRet' },
  { symbol: 'runtime.(*gcControllerState).endCycle', entry: 'cycleEnd', returns: null },
];

function planOf(bytes: Uint8Array): AttachPlan {
  const plan = planAttach(bytesReader(bytes));
  if (plan.kind === 'refused') throw new Error(`${plan.reason}: ${plan.message}`);
  return plan;
}

const hexAt = (bytes: Uint8Array, offset: number, length: number): string =>
  Buffer.from(bytes.subarray(offset, offset + length)).toString('hex');

describe.skipIf(missing !== undefined)(
  `probe points of real Go programs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    describe.each(supportedToolchains)('go%s', (version) => {
      const files = new Map<string, string>();
      beforeAll(() => {
        for (const variant of variants) files.set(variant.name, buildRobot(version, variant));
      }, buildTimeoutMs);
      const fileOf = (name: string): string => files.get(name) ?? '';

      it.each(variants)('$name: entries and returns are those of go tool objdump', (variant) => {
        const bytes = readFileSync(fileOf(variant.name));
        const plan = planOf(bytes);
        expect(plan).toMatchObject({
          goVersion: `go${version}`,
          modulePath: 'robotgc.dev/testdata/robot',
          stripped: variant.stripped,
          pie: variant.pie,
        });
        const twin = fileOf(variant.twin);
        for (const { symbol, entry, returns } of functions) {
          const lines = goObjdump(version, twin, symbol);
          const push = lines.find((line) => line.text === 'PUSHQ BP');
          expect(plan.points.filter((p) => p.point === entry).map((p) => p.address)).toEqual([push?.address]);
          const expected = lines.filter((line) => line.text === 'RET').map((line) => line.address);
          expect(expected.length).toBeGreaterThan(0);
          if (symbol === 'runtime.gcAssistAlloc') {
            const pointsOf = (name: AttachPointName) =>
              plan.points.filter((p) => p.point === name).map((p) => p.address);
            checkExits(lines, {
              entry: push?.address ?? 0,
              exits: pointsOf('assistExit'),
              returns: pointsOf('assistRet'),
            });
          } else if (returns !== null)
            expect(plan.points.filter((p) => p.point === returns).map((p) => p.address)).toEqual(expected);

          // The file's bytes at each offset are the bytes that objdump shows at each address.
          const shown = lines.map((line) => line.bytes).join('');
          const first = lines[0]?.address ?? 0;
          for (const point of plan.points.filter((p) => p.symbol === symbol)) {
            expect(hexAt(bytes, point.offset, point.bytes.length / 2)).toBe(point.bytes);
            // A stripped program refers to data elsewhere than its twin: there only the instruction probed is compared.
            const digits = variant.stripped ? 2 : point.bytes.length;
            const inShown = (point.address - first) * 2;
            expect(shown.slice(inShown, inShown + digits)).toBe(
              point.bytes.slice(0, Math.min(digits, shown.length - inShown)),
            );
          }
        }
      });

      it('finds what go tool nm and go version -m say', () => {
        const bytes = readFileSync(fileOf('plain'));
        const plan = planOf(bytes);
        const symbols = goNm(version, fileOf('plain'));
        expect(plan.gcControllerAddress).toBe(symbols.get('runtime.gcController')?.address);
        expect(plan.buildId).toBe(runGo(version, ['tool', 'buildid', fileOf('plain')]).trim());
        const info = goVersion(bytesReader(readFileSync(fileOf('race'))));
        expect(info).toMatchObject({ kind: 'go', goVersion: `go${version}`, arch: 'amd64' });
        if (info.kind !== 'go') return;
        const listed = runGo(version, ['version', '-m', fileOf('race')]);
        const settings = [...listed.matchAll(/^\tbuild\t([^=]+)=(.*)$/gm)].map((m) => [m[1], m[2]]);
        expect([...info.buildInfo.settings]).toEqual(settings);
        expect(info.buildInfo.settings.get('-race')).toBe('true');
      });

      it('reads gcControllerState and the number of a goroutine where its own DWARF says', () => {
        const dwarf: unknown = JSON.parse(execFileSync(buildTool('dwarf'), [fileOf('plain')], { encoding: 'utf8' }));
        const { layout, goidOffset } = planOf(readFileSync(fileOf('plain')));
        expect(dwarf).toMatchObject({
          'runtime.gcControllerState': layout.fields,
          'runtime.g': { goid: { offset: goidOffset, type: 'uint64' } },
        });
      });
    });
  },
);
