/** Readers of programs that nobody here built, on a great many that nobody ever built. The short form is `hostile.test.ts`. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import type { Random } from '../../test/support/fuzz/random.ts';
import { decode as decodeArm64 } from './arm64/decode.ts';
import { a64 } from './arm64/instruction-set.ts';
import { type FunctionBody, type FunctionCode, walkFunction } from './code/function-body.ts';
import { callSpan, oneOfCalls, parkSpan, slowAssistSpan } from './code/spans.ts';
import { parseModuleText } from './go/build-info.ts';
import { findGcGlobals, goVersion, planAttach, planLibssl } from './index.ts';
import { bytesReader } from './reader.ts';
import { orRefused } from './refusal.ts';
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
import { buildRobot, whyNoToolchain } from './testing/go-toolchain.ts';
import { checkAnswer, realGoProgram } from './testing/hostile.ts';
import type { ByteReader } from './types.ts';
import { decode } from './x86/decode.ts';

const cpuLimitMs = 100;
/** What reading one file may cost at most: the budget of its readers. */
const peakBytes = 768 * 2 ** 20;

const real = realGoProgram();
const noToolchain = whyNoToolchain();
/** Built here: no package brings a Go program for arm64. */
const arm64 =
  noToolchain === undefined
    ? readFileSync(
        buildRobot('1.26.8', { name: 'stripped', flags: ['-ldflags=-s -w'], cgo: false }, { GOARCH: 'arm64' }),
      )
    : undefined;
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

  const forArm64 = arm64 === undefined ? [] : [compactProgram(arm64, 'go1.26.8')];
  it.skipIf(arm64 === undefined)(
    `headers, tables and code for arm64${noToolchain === undefined ? '' : ` (skipped: ${noToolchain})`}`,
    async () => {
      for (const bytes of forArm64) expect(planAttach(bytesReader(bytes))).toMatchObject({ kind: 'ok', arch: 'arm64' });
      const compactArm64 = forArm64.map((bytes) => programOf('compact, arm64', bytes));
      await fuzzChanged('ELF, arm64', compactArm64, askAll);
    },
  );

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

/** Words that branch near by, load and store exclusively, test, return; and any. */
const arm64Shapes: readonly (readonly [mask: number, bits: number])[] = [
  [0xff00_0100, 0x5400_0000],
  [0xff00_01ff, 0xb500_0000],
  [0xfc00_003f, 0x1400_0000],
  [0xfc00_003f, 0x9400_0000],
  [0xffff_ffff, 0xd65f_03c0],
  [0xffff_ffff, 0xc85f_fcbb],
  [0xffff_ffff, 0xc81b_fcbf],
  [0xffff_ffff, 0xb240_03e1],
  [0xffff_ffff, 0xf900_07e0],
  [0x0000_0000, 0x0000_0000],
];

function arm64Words(random: Random): Uint8Array {
  const words = Array.from({ length: 1 + random.below(60) }, () => {
    const [mask, bits] = random.of(arm64Shapes) ?? [0, 0];
    return ((random.next() & ~mask) | bits) >>> 0;
  });
  return new Uint8Array(new Uint32Array([0xf817_0ffe, ...words]).buffer).subarray(
    0,
    4 * words.length + random.below(5),
  );
}

/** Somewhere in the middle. */
const callee = 0x1_0020;
const parkOf = (fn: FunctionCode, body: FunctionBody) => parkSpan(fn, body, callee);
const oneOf = (fn: FunctionCode, body: FunctionBody) => oneOfCalls(fn, body, callee);
const slow = (fn: FunctionCode, body: FunctionBody) => slowAssistSpan(fn, body, { start: callee, done: callee + 4 });

/** What a plan asks of a function. */
function askAboutCode(code: Uint8Array): void {
  const fn = { symbol: 'runtime.f', address: 0x1_0000, code };
  const all = orRefused(() => {
    const body = walkFunction(a64, fn);
    for (const at of body.instructions.keys()) {
      a64.operands(code, at);
      a64.mayCarryProbe(fn, body, at);
    }
    for (const question of [callSpan, parkOf, oneOf, slow]) orRefused(() => question(fn, body));
    return body;
  });
  if ('kind' in all && all.message === '') throw new Error('refused without a reason');
}

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

  it('any words are a function of arm64, or are refused, and every question about them has an answer', async () => {
    const report = await fuzz({
      name: 'arm64 instructions',
      make: (random: Random) => arm64Words(random),
      take: (code) => {
        for (let at = 0; at < code.length; at++) {
          const length = decodeArm64(code, at)?.length;
          if (length !== undefined && length !== 4) throw new Error(`${length} bytes long`);
        }
        askAboutCode(code);
      },
      limitMs: cpuLimitMs,
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
