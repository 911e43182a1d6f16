/** Readers of programs that nobody here built, on a great many that nobody ever built. The short form is `hostile.test.ts`. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import type { Random } from '../../test/support/fuzz/random.ts';
import { parseModuleText } from './go/build-info.ts';
import { findGcGlobals, goVersion, planAttach, planLibssl } from './index.ts';
import { bytesReader } from './reader.ts';
import { buildElf, buildInfoSection } from './testing/build-elf.ts';
import {
  type Changed,
  changeProgram,
  type Program,
  programOf,
  readerOf,
  showChanged,
} from './testing/changed-program.ts';
import { compactProgram } from './testing/compact-program.ts';
import { checkAnswer, realGoProgram } from './testing/hostile.ts';
import type { ByteReader } from './types.ts';
import { decode } from './x86/decode.ts';

const cpuLimitMs = 100;
/** What reading one file may cost at most: the budget of its readers. */
const peakBytes = 768 * 2 ** 20;

const real = realGoProgram();
const compact = ['go1.26.8', 'go1.24.13', 'go1.22.12'].map((version) => compactProgram(real, version));
const table = '.gopclntab';
const libraries = ['/usr/lib/x86_64-linux-gnu/libssl.so.3', '/lib/x86_64-linux-gnu/libssl.so.3']
  .filter(existsSync)
  .slice(0, 1);

/** Every question that is asked of a program. */
function askAll(reader: ByteReader): void {
  checkAnswer(reader, Number.POSITIVE_INFINITY);
  const globals = findGcGlobals(reader);
  if (globals.kind === 'refused' && globals.message === '') throw new Error('refused without a reason');
}

const askLibssl = (reader: ByteReader): void => {
  const plan = planLibssl(reader);
  if (plan.kind === 'refused' ? plan.message === '' : plan.bytes.length === 0) throw new Error('no reason, no bytes');
};

async function fuzzChanged(
  name: string,
  programs: readonly Program[],
  ask: (reader: ByteReader) => void,
  share = 1,
): Promise<void> {
  const report = await fuzz<Changed>({
    name,
    make: (random) => changeProgram(random, programs),
    take: (changed) => ask(readerOf(changed)),
    show: showChanged,
    limitMs: cpuLimitMs,
    peakBytes,
    share,
  });
  expect(report.inputs).toBeGreaterThan(0);
}

/** Only what lies in the section of this name. */
function within(program: Program, name: string): Program {
  const at = Buffer.from(program.bytes).indexOf(Buffer.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]));
  expect(at, name).toBeGreaterThan(0);
  return {
    ...program,
    spots: [
      [at, 72],
      [at + 72, program.bytes.length - at - 72],
    ],
  };
}

describe('programs with changed fields', () => {
  const programs = compact.map((bytes, i) => programOf(`compact ${i}`, bytes));

  it('the compact programs are whole', () => {
    for (const bytes of compact) expect(planAttach(bytesReader(bytes))).toMatchObject({ kind: 'ok' });
  });

  it('ELF headers, tables and code', () => fuzzChanged('ELF', programs, askAll));

  it('the function table', () =>
    fuzzChanged(
      '.gopclntab',
      programs.map((program) => within(program, table)),
      askAll,
    ));

  // A whole program of 20 MB takes some tens of milliseconds: a hundredth as many.
  it('a whole program', () => fuzzChanged('a whole Go program', [programOf('tsc', real)], askAll, 0.01));

  it.skipIf(libraries.length === 0)(`libssl${libraries.length === 0 ? ' (skipped: none is installed)' : ''}`, () =>
    fuzzChanged(
      'libssl',
      libraries.map((file) => programOf('libssl', readFileSync(file))),
      askLibssl,
    ),
  );
});

describe('bytes', () => {
  it('programs with stretches cut out, repeated, put in', async () => {
    const seeds = {
      corpus: [...compact, Buffer.from('\x7fELF\x02\x01\x01'), Buffer.from('#!/bin/sh\n')],
      maxBytes: 2 ** 20,
    };
    const report = await fuzz({
      name: 'ELF, spliced',
      make: (random) => new Uint8Array(mutate(random, seeds)),
      take: (bytes) => {
        askAll(bytesReader(bytes));
        askLibssl(bytesReader(bytes));
      },
      limitMs: cpuLimitMs,
      peakBytes,
    });
    expect(report.inputs).toBeGreaterThan(0);
  });

  it('build info', async () => {
    const module =
      'path\tgithub.com/example/robot\nmod\tgithub.com/example/robot\t(devel)\t\ndep\tx\tv1.0.0\th1:abc=\nbuild\t-compiler=gc\nbuild\tCGO_ENABLED=0\nbuild\t"a b"="c\\"d"\n';
    const corpus = ['go1.26.8', 'go1.22', 'go1.27rc1', 'devel go1.28-abc'].map((version) =>
      buildInfoSection(version, module),
    );
    const report = await fuzz({
      name: 'build info',
      make: (random) =>
        new Uint8Array(mutate(random, { corpus, tokens: ['go1.', '\tbuild\t', '"=', '`', '\xff Go buildinf:'] })),
      take: (data) => {
        const answer = goVersion(bytesReader(buildElf({ sections: [{ name: '.go.buildinfo', data }] })));
        if (answer.kind === 'refused' && answer.message === '') throw new Error('refused without a reason');
        parseModuleText(Buffer.from(data).toString('latin1'));
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });

  it('any 16 bytes decode to 1 to 15 bytes that do not depend on what follows', async () => {
    const report = await fuzz({
      name: 'x86 instructions',
      make: (random: Random) => Uint8Array.from({ length: 17 }, () => random.below(256)),
      take: (bytes) => {
        const code = bytes.subarray(0, 16);
        const instruction = decode(code, 0);
        if (instruction === undefined) return;
        const { length } = instruction;
        if (length < 1 || length > 15) throw new Error(`${length} bytes long`);
        const other = decode(code.slice().fill(bytes[16] ?? 0, length), 0);
        if (JSON.stringify(other) !== JSON.stringify(instruction)) throw new Error('depends on what follows');
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });
});
