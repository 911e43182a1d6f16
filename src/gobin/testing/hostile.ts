import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { goVersion, planAttach } from '../index.ts';
import type { AttachPointName, ByteReader, OptionalPointName, Processor } from '../types.ts';

/** A real stripped Go program that is always there: the TypeScript compiler's. */
export function realGoProgram(): Uint8Array {
  const require = createRequire(import.meta.url);
  const platform = require.resolve('@typescript/typescript-linux-x64/package.json', {
    paths: [dirname(require.resolve('typescript/package.json'))],
  });
  return readFileSync(join(dirname(platform), 'lib', 'tsc'));
}

/** Bytes written over a file without copying it: `[offset, byte]`. */
export type Overlay = readonly (readonly [number, number])[];

/** A reader that shows `bytes` cut to `size` with `overlay` on top. */
export function overlaid(bytes: Uint8Array, overlay: Overlay, size = bytes.length): ByteReader {
  return {
    size,
    read(offset, length) {
      const part = bytes.subarray(offset, Math.min(size, offset + length));
      const hits = overlay.filter(([at]) => at >= offset && at < offset + part.length);
      if (hits.length === 0) return part;
      // Not slice(): a Buffer's shares its memory.
      const copy = new Uint8Array(part);
      for (const [at, value] of hits) copy[at - offset] = value;
      return copy;
    },
  };
}

/** Where the real program's tables are: mutations there reach deepest. */
export function interestingOffsets(bytes: Uint8Array): (readonly [number, number])[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const spots: (readonly [number, number])[] = [
    [0, 64],
    [64, 56 * 12],
    [table, 64 * count],
  ];
  for (let i = 0; i < count; i++) {
    const at = table + 64 * i;
    const type = view.getUint32(at + 4, true);
    if (type !== 0 && type !== 8)
      spots.push([Number(view.getBigUint64(at + 24, true)), Math.min(Number(view.getBigUint64(at + 32, true)), 512)]);
  }
  const plan = planAttach({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
  // From a little before each entry to the end of its function.
  if (plan.kind === 'ok') for (const point of plan.points) spots.push([point.offset - 24, 400]);
  return spots;
}

/** What must hold for every file in the world: an answer, in little processor time; and each point is where its bytes are. */
export function checkAnswer(reader: ByteReader, cpuLimitMs: number): 'ok' | 'refused' {
  const before = process.cpuUsage();
  const plan = planAttach(reader);
  const version = goVersion(reader);
  const used = process.cpuUsage(before);
  expect((used.user + used.system) / 1000).toBeLessThan(cpuLimitMs);
  if (plan.kind === 'refused') {
    expect(plan.message).not.toBe('');
    return 'refused';
  }
  expect(version.kind).toBe('go');
  for (const point of plan.points) {
    const bytes = Buffer.from(reader.read(point.offset, point.bytes.length / 2)).toString('hex');
    expect(bytes).toBe(point.bytes);
    expect(bytes).toMatch(standsAt(plan.arch, point.point));
  }
  for (const { point, offset, bytes } of plan.optional.flatMap((group) => (group.kind === 'ok' ? group.points : []))) {
    expect(Buffer.from(reader.read(offset, bytes.length / 2)).toString('hex')).toBe(bytes);
    expect(bytes).toMatch(standsAt(plan.arch, point));
  }
  return 'ok';
}

interface Forms {
  readonly jump: RegExp;
  readonly call: RegExp;
  readonly return: RegExp;
  readonly entry: RegExp;
}

/** Bytes in the file, in hexadecimal: of arm64's instructions the last byte, or bytes, tell the kind. */
const forms: Readonly<Record<Processor, Forms>> = {
  amd64: { jump: /^(7.|eb|e9|0f8.)/, call: /^e8/, return: /^c3/, entry: /^55/ },
  arm64: {
    jump: /^.{6}(1[4-7]|54|[3b][4-7])/,
    call: /^.{6}9[4-7]/,
    return: /^c0035fd6/,
    entry: /^(fe.f1.f8|f4.[37bf]..d1)/,
  },
};

function standsAt(processor: Processor, point: AttachPointName | OptionalPointName): RegExp {
  const form = forms[processor];
  if (/^(pollPark|assistSlow|assistExit)/.test(point)) return form.jump;
  if (point === 'stwStopped') return form.call;
  return point.endsWith('Ret') ? form.return : form.entry;
}
