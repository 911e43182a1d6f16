import { describe, expect, it } from 'vitest';
import { planAttach } from './plan.ts';
import { bytesReader } from './reader.ts';
import { buildElf, buildInfoSection, buildProgram, type FakeFunction, loadAddress } from './testing/build-elf.ts';

const stackCheck = [0x49, 0x3b, 0x66, 0x10, 0x76, 0x06];
const bigFrameCheck = [0x4c, 0x8d, 0x64, 0x24, 0xf8, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x06, 0, 0, 0];
const hugeFrameCheck = [
  ...[0x49, 0x89, 0xe4, 0x49, 0x81, 0xec, 0, 0x20, 0, 0],
  ...[0x72, 0x0c, 0x4d, 0x3b, 0x66, 0x10, 0x76, 0x06],
];
const push = [0x55, 0x48, 0x89, 0xe5];
const popRet = [0x5d, 0xc3];
/** `CALL` to somewhere and back to the entry, as after every stack check. */
const names = ['runtime.startTheWorldWithSema', 'runtime.gcAssistAlloc', 'runtime.(*gcControllerState).endCycle'];

const [stw = '', assist = '', endCycle = ''] = names;
/** The calls that the runtime's source has. */
const allCalls = [stw, stw, assist, stw, endCycle, stw];

function program(
  codes: readonly (readonly number[])[],
  goVersion?: string,
  calls: readonly string[] = allCalls,
): Uint8Array {
  const functions: FakeFunction[] = codes.map((code, i) => ({ name: names[i] ?? `main.f${i}`, code }));
  return buildProgram([...functions, { name: 'runtime.callers', code: [], calls }], goVersion);
}
const plain = [...push, ...popRet];
const plan = (bytes: Uint8Array) => planAttach(bytesReader(bytes));

describe('entry probe', () => {
  it.each([
    ['no stack check', plain, 0],
    ['a small frame', [...stackCheck, ...push, ...popRet, 0xeb, 0xf2], 6],
    ['a huge frame', [...hugeFrameCheck, ...push, ...popRet, 0xeb, 0xe6], 18],
    ['a large frame', [...bigFrameCheck, ...push, ...popRet, 0xcc, 0xeb, 0xe8], 15],
  ])('stands on PUSHQ BP: %s', (_name, code, at) => {
    const found = plan(program([code, plain, plain]));
    expect(found).toMatchObject({ kind: 'ok' });
    if (found.kind !== 'ok') return;
    const [entry] = found.points;
    expect(entry).toMatchObject({ point: 'stwEntry', address: loadAddress + (entry?.offset ?? 0) });
    expect(entry?.bytes.startsWith('55')).toBe(true);
    expect(found.points[1]).toMatchObject({
      point: 'stwRet',
      offset: (entry?.offset ?? 0) - at + code.lastIndexOf(0xc3),
    });
  });

  it.each([
    ['a prologue of another compiler', [0x48, 0x83, 0xec, 0x08, ...popRet], 'begins 4883ec08'],
    [
      'a jump back to the probed instruction',
      [...stackCheck, ...push, 0x75, 0xfa, ...popRet],
      'loops back to its prologue',
    ],
  ])('refuses %s', (_name, code, message) => {
    expect(plan(program([code, plain, plain]))).toMatchObject({
      reason: 'unexpected-code',
      message: expect.stringContaining(message),
    });
  });
});

describe('return probes', () => {
  it('stand on RET instructions, never on a byte 0xC3 inside another', () => {
    // MOVL $0xc3c3c3c3, AX; MOVQ AX, BX (48 89 c3); JNE +2; POPQ BP; RET; POPQ BP; RET
    const code = [...push, 0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0x48, 0x89, 0xc3, 0x75, 0x02, ...popRet, ...popRet];
    const found = plan(program([plain, code, plain]));
    if (found.kind !== 'ok') throw new Error(found.message);
    const entry = found.points.find((p) => p.point === 'assistEntry')?.offset ?? 0;
    expect(found.points.filter((p) => p.point === 'assistRet').map((p) => p.offset - entry)).toEqual([15, 17]);
  });

  it.each([
    [
      'an instruction it does not know',
      [...push, 0x06, ...popRet],
      'unknown-instruction',
      'unknown instruction 065dc3',
    ],
    ['a jump out of the function', [...push, 0x5d, 0xe9, 0, 1, 0, 0], 'unexpected-code', 'otherwise than by RET'],
    ['a return with a prefix', [...push, 0x5d, 0xf3, 0xc3], 'unexpected-code', 'otherwise than by RET'],
    ['an indirect jump', [...push, 0xff, 0xe0, ...popRet], 'unexpected-code', 'otherwise than by RET'],
    [
      'a jump into an instruction',
      [...push, 0x75, 0x01, 0xb8, 0xc3, 0xc3, 0xc3, 0xc3, ...popRet],
      'unexpected-code',
      'inside an instruction',
    ],
    ['no return at all', [...push, 0xeb, 0xfe], 'unexpected-code', 'has no RET'],
    [
      'an instruction cut off by the end',
      [...push, ...popRet, 0xb8, 0xc3],
      'unknown-instruction',
      'unknown instruction b8c3',
    ],
  ])('refuses %s', (_name, code, reason, message) => {
    expect(plan(program([code, plain, plain]))).toMatchObject({ reason, message: expect.stringContaining(message) });
  });

  it('stand on a jump instead where it is the same: for stalls, not for pauses, whose RET tells the time', () => {
    // JE over CALL AX, as where a deferred closure runs.
    const code = [...push, 0x74, 0x02, 0xff, 0xd0, ...popRet];
    const found = plan(program([code, code, plain]));
    if (found.kind !== 'ok') throw new Error(found.message);
    expect(found.points.map(({ point, bytes }) => [point, bytes.slice(0, 4)])).toEqual([
      ['stwEntry', '5548'],
      ['stwRet', expect.stringMatching(/^c3/)],
      ['assistEntry', '5548'],
      ['assistExit', '7402'],
      ['cycleEnd', '5548'],
    ]);
  });

  it('are not needed at the end of a cycle: jumps out of it do not matter', () => {
    const found = plan(program([plain, plain, [...push, 0xff, 0xe0]]));
    expect(found).toMatchObject({ kind: 'ok' });
    expect(found.kind === 'ok' && found.points.at(-1)?.point).toBe('cycleEnd');
  });
});

describe('what is refused, and why', () => {
  const goElf = (goVersion: string, machine = 62) =>
    buildElf({ machine, sections: [{ name: '.go.buildinfo', data: buildInfoSection(goVersion) }] });
  const cString = new TextEncoder();

  it.each([
    ['nothing at all', new Uint8Array(0), 'not-elf', 'not an ELF file'],
    ['a script', cString.encode('#!/bin/sh\nexec robot\n'), 'not-elf', 'not an ELF file'],
    ['an ELF file of 6 bytes', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1), 'truncated', 'ELF header is cut off'],
    ['a C program', buildElf({ sections: [] }), 'not-go', 'not a Go program'],
    ['an object file', buildElf({ type: 1 }), 'malformed', 'not an executable'],
    ['RISC-V', goElf('go1.26.8', 243), 'unsupported-arch', 'only amd64 and arm64'],
    ['Go 1.21', goElf('go1.21.13'), 'unsupported-go-version', 'go1.22 to go1.26'],
    ['a future Go', goElf('go1.27.0'), 'unsupported-go-version', 'built with go1.27.0'],
    ['a far future Go', goElf('go2.0'), 'unsupported-go-version', 'not a released Go'],
    ['a release candidate', goElf('go1.26rc1'), 'unsupported-go-version', 'not a released Go'],
    ['a development version', goElf('devel go1.27-abc'), 'unsupported-go-version', 'not a released Go'],
    [
      'a version that would break a status line',
      goElf(`go1.\u001b[31m${'x'.repeat(500)}`),
      'unsupported-go-version',
      '?[31mx',
    ],
    ['Go without a function table', goElf('go1.26.8'), 'unsupported-pclntab', 'without the .gopclntab'],
    [
      'Go without build info',
      buildElf({ sections: [{ name: '.gopclntab', data: new Uint8Array(100) }] }),
      'unsupported-go-version',
      'its version is unknown',
    ],
    [
      'TinyGo',
      buildElf({ sections: [{ name: '.strtab', type: 3, data: cString.encode('\0main\0tinygo_startTask\0') }] }),
      'tinygo',
      'built with TinyGo',
    ],
    [
      'another function table',
      buildElf({
        sections: [
          { name: '.go.buildinfo', data: buildInfoSection('go1.26.8') },
          { name: '.gopclntab', data: Uint8Array.of(0xfa, 0xff, 0xff, 0xff, ...new Uint8Array(100)) },
        ],
      }),
      'unsupported-pclntab',
      'begins 0xfffffffa',
    ],
    [
      'a runtime with a function missing',
      buildProgram([{ name: 'main.main', code: plain }]),
      'unsupported-pclntab',
      'without the .gopclntab',
    ],
  ])('%s', (_name, bytes, reason, message) => {
    expect(plan(bytes)).toMatchObject({ kind: 'refused', reason, message: expect.stringContaining(message) });
  });

  it('section headers that were removed', () => {
    const bytes = buildElf({ sections: [] });
    bytes.fill(0, 40, 48);
    bytes.fill(0, 60, 64);
    expect(plan(bytes)).toMatchObject({ reason: 'no-sections' });
  });

  it.each(['go1.22', 'go1.24.13', 'go1.26.8-vendor', 'go1.26.1 X:boringcrypto', 'go1.25.3+abc'])(
    'but accepts %s',
    (goVersion) => {
      expect(plan(program([plain, plain, plain], goVersion))).toMatchObject({ kind: 'ok', goVersion });
    },
  );

  it.each([
    ['one of four', [stw, stw, stw, assist, endCycle], 'startTheWorldWithSema is called from 3 places instead of 4'],
    ['the only one', [stw, stw, stw, stw, endCycle], 'gcAssistAlloc is called from 0 places instead of 1'],
  ])('a runtime function that was inlined at %s of its call sites', (_name, calls, message) => {
    const found = plan(program([plain, plain, plain], 'go1.26.8', calls));
    expect(found).toMatchObject({ reason: 'inlined', message: expect.stringContaining(message) });
  });

  it('knows since when the end of stopping is told', () => {
    const finished = (goVersion: string) => {
      const found = plan(program([plain, plain, plain], goVersion));
      return found.kind === 'ok' ? found.stoppingKnown : undefined;
    };
    expect([finished('go1.22.12'), finished('go1.23.0')]).toEqual([false, true]);
  });
});
