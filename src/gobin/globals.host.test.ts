import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { findGcGlobals, type GcGlobals } from './globals.ts';
import { bytesReader } from './reader.ts';
import { goNm } from './testing/go-objdump.ts';
import { buildRobot, whyNoToolchain } from './testing/go-toolchain.ts';
import { matrix } from './testing/processors.ts';
import type { Processor } from './types.ts';

const missing = whyNoToolchain();

function globalsOf(file: string, ignoreSymbols: boolean): GcGlobals {
  const found = findGcGlobals(bytesReader(readFileSync(file)), { ignoreSymbols });
  if (found.kind === 'refused') throw new Error(`${found.reason}: ${found.message}`);
  return found;
}

/** Offsets of `cycles` and of `lastEnabledCycle`, written down a second time. */
function layoutsOf(version: string, processor: Processor): { work: number; limiter: number } {
  const minor = Number(version.split('.')[1]);
  const cycles = processor === 'amd64' ? [400, 424, 424, 512, 648] : [528, 552, 552, 704, 904];
  return { work: cycles[minor - 22] ?? 0, limiter: minor === 22 ? 72 : 64 };
}

describe.skipIf(missing !== undefined)(
  `the collector's globals in real Go programs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    describe.each(matrix)('$name', ({ version, listing: { processor, env, variants } }) => {
      const files = new Map<string, string>();
      beforeAll(() => {
        for (const variant of variants) files.set(variant.name, buildRobot(version, variant, env));
      }, 600_000);
      const fileOf = (name: string): string => files.get(name) ?? '';

      it.each(variants.filter((variant) => !variant.stripped))(
        '$name: the code tells what go tool nm tells',
        (variant) => {
          const symbols = goNm(version, fileOf(variant.name));
          const bySymbol = globalsOf(fileOf(variant.name), false);
          const byCode = globalsOf(fileOf(variant.name), true);
          expect(bySymbol.gcControllerAddress).toBe(symbols.get('runtime.gcController')?.address);
          expect(bySymbol.heapStats?.address).toBe(symbols.get('runtime.memstats')?.address);
          const { work, limiter } = layoutsOf(version, processor);
          expect(bySymbol.workAddress).toBe((symbols.get('runtime.work')?.address ?? 0) + work);
          expect(bySymbol.limiter?.address).toBe(symbols.get('runtime.gcCPULimiter')?.address);
          expect(bySymbol.limiter?.layout).toEqual({ enabled: 4, lastEnabledCycle: limiter });
          expect(byCode).toEqual({ ...bySymbol, gcControllerFrom: 'code' });
        },
      );

      it.each(variants.filter((variant) => variant.stripped))('$name: found without symbols', (variant) => {
        const found = globalsOf(fileOf(variant.name), false);
        expect(found.gcControllerFrom).toBe('code');
        expect(found.heapStats).not.toBeNull();
        expect(found.workAddress).not.toBeNull();
        expect(found.limiter).not.toBeNull();
        // The linker puts the same variables in the same order: only the section may begin elsewhere.
        const twin = globalsOf(fileOf(variant.twin), false);
        expect((found.heapStats?.address ?? 0) - found.gcControllerAddress).toBe(
          (twin.heapStats?.address ?? 0) - twin.gcControllerAddress,
        );
        expect((found.limiter?.address ?? 0) - found.gcControllerAddress).toBe(
          (twin.limiter?.address ?? 0) - twin.gcControllerAddress,
        );
      });
    });
  },
);
