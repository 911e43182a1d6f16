import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { goVersion, planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { checkExits, expectOwnGoroutine } from './testing/exit-oracle.ts';
import { goNm, goObjdump } from './testing/go-objdump.ts';
import { buildRobot, buildTool, runGo, whyNoToolchain } from './testing/go-toolchain.ts';
import { matrix } from './testing/processors.ts';
import type { AttachPlan, AttachPointName } from './types.ts';
import { gcLimiterLayoutFor, gcWorkFields, gcWorkOffsetsFor } from './work-layout.ts';

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
    describe.each(matrix)('$name', ({ version, listing }) => {
      const { processor, env, variants } = listing;
      const files = new Map<string, string>();
      beforeAll(() => {
        for (const variant of variants) files.set(variant.name, buildRobot(version, variant, env));
      }, buildTimeoutMs);
      const fileOf = (name: string): string => files.get(name) ?? '';

      it.each(variants)('$name: entries and returns are those of go tool objdump', (variant) => {
        const bytes = readFileSync(fileOf(variant.name));
        const plan = planOf(bytes);
        expect(plan).toMatchObject({
          goVersion: `go${version}`,
          arch: processor,
          modulePath: 'robotgc.dev/testdata/robot',
          stripped: variant.stripped,
          pie: variant.pie,
        });
        const twin = fileOf(variant.twin);
        for (const { symbol, entry, returns } of functions) {
          const lines = goObjdump(version, twin, symbol, processor);
          const push = lines.find((line) => listing.entry.test(line.text));
          expect(plan.points.filter((p) => p.point === entry).map((p) => p.address)).toEqual([push?.address]);
          const expected = lines.filter((line) => line.text === 'RET').map((line) => line.address);
          expect(expected.length).toBeGreaterThan(0);
          if (symbol === 'runtime.gcAssistAlloc' && processor === 'amd64') {
            const pointsOf = (name: AttachPointName) =>
              plan.points.filter((p) => p.point === name).map((p) => p.address);
            checkExits(lines, {
              entry: push?.address ?? 0,
              exits: pointsOf('assistExit'),
              returns: pointsOf('assistRet'),
            });
          } else if (returns !== null) {
            expect(plan.points.filter((p) => p.point === returns).map((p) => p.address)).toEqual(expected);
          }
          if (symbol === 'runtime.gcAssistAlloc') expectOwnGoroutine(lines, processor);

          // The file's bytes at each offset are the bytes that objdump shows at each address.
          const shown = lines.map((line) => line.bytes).join('');
          const first = lines[0]?.address ?? 0;
          for (const point of plan.points.filter((p) => p.symbol === symbol)) {
            expect(hexAt(bytes, point.offset, point.bytes.length / 2)).toBe(point.bytes);
            // A stripped program refers to data elsewhere than its twin: there only the instruction probed is compared.
            const digits = variant.stripped ? listing.fixedDigits : point.bytes.length;
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
        const other = processor === 'amd64' ? 'race' : 'pie';
        const info = goVersion(bytesReader(readFileSync(fileOf(other))));
        expect(info).toMatchObject({ kind: 'go', goVersion: `go${version}`, arch: processor });
        if (info.kind !== 'go') return;
        const listed = runGo(version, ['version', '-m', fileOf(other)]);
        const settings = [...listed.matchAll(/^\tbuild\t([^=]+)=(.*)$/gm)].map((m) => [m[1], m[2]]);
        expect([...info.buildInfo.settings]).toEqual(settings);
        expect(info.buildInfo.settings.get(processor === 'amd64' ? '-race' : '-buildmode')).toMatch(/^(true|pie)$/);
      });

      it('reads the collector and the number of a goroutine where its own DWARF says', () => {
        const dwarf: unknown = JSON.parse(execFileSync(buildTool('dwarf'), [fileOf('plain')], { encoding: 'utf8' }));
        const { layout, goidOffset } = planOf(readFileSync(fileOf('plain')));
        const minor = Number(version.split('.')[1]);
        const [work, limiter] = [gcWorkOffsetsFor(processor, minor), gcLimiterLayoutFor(minor)];
        expect(dwarf).toMatchObject({
          'runtime.gcControllerState': layout.fields,
          'runtime.g': { goid: { offset: goidOffset, type: 'uint64' } },
          'runtime.workType': {
            userForced: { offset: work?.userForced },
            cycles: { offset: work?.cycles, type: 'uint32' },
            tEnd: { offset: (work?.cycles ?? 0) + gcWorkFields.tEnd, type: 'int64' },
          },
          'runtime.gcCPULimiterState': { lastEnabledCycle: { offset: limiter?.lastEnabledCycle } },
        });
      });
    });
  },
);
