import { ProfileError } from './model.ts';

/*
 * Shape of profile.proto (github.com/google/pprof, proto/profile.proto): which fields are messages, by number. The decoding library trusts
 * its input: a number of a million bytes costs it quadratic time, a length beyond the end is cut short without a word. So the bytes
 * are walked once, in linear time, before it sees them.
 */
interface Shape {
  readonly [field: number]: Shape | 'bytes';
}
const valueType: Shape = {};
const label: Shape = {};
const line: Shape = {};
const profile: Shape = {
  1: valueType,
  2: { 1: 'bytes', 2: 'bytes', 3: label },
  3: {},
  4: { 4: line },
  5: {},
  6: 'bytes',
  11: valueType,
  13: 'bytes',
};
const samplePath = '2';
/** Numbers that may come packed, by the path of the message: sample.location_id, sample.value, comment. */
const packed = new Set(['2.1', '2.2', '13']);

/** A 64-bit number takes at most ten bytes of seven bits. */
const maxVarintBytes = 10;

/**
 * Walks the whole message in linear time and constant memory.
 * @returns how many samples it holds
 * @throws ProfileError `malformed` unless the bytes are a well-formed profile message
 */
export function countSamples(bytes: Uint8Array): number {
  const counter = { samples: 0 };
  walk(bytes, 0, bytes.length, profile, '', counter);
  return counter.samples;
}

function walk(
  bytes: Uint8Array,
  from: number,
  to: number,
  shape: Shape,
  path: string,
  counter: { samples: number },
): void {
  let at = from;
  while (at < to) {
    const tag = bytes[at] ?? 0;
    at += 1;
    if (tag >= 0x80) throw malformed(at, 'a field number that profile.proto does not have');
    const field = tag >> 3;
    const wireType = tag & 7;
    const afterNumber = skipVarint(bytes, at, to);
    if (wireType === 0) {
      if (shape[field] !== undefined && !packed.has(childPath(path, field)))
        throw malformed(at, `a number where field ${field} is a message`);
      at = afterNumber;
      continue;
    }
    if (wireType !== 2) throw malformed(at, `wire type ${wireType}, which profile.proto does not use`);
    const end = afterNumber + readLength(bytes, at, afterNumber);
    if (end > to) throw malformed(at, 'a length beyond the end');
    const inner = shape[field];
    const here = childPath(path, field);
    if (inner === undefined && field !== 0) checkUnknown(field, path, at);
    if (packed.has(here)) checkPacked(bytes, afterNumber, end);
    else if (inner !== undefined && inner !== 'bytes') walk(bytes, afterNumber, end, inner, here, counter);
    if (here === samplePath) counter.samples += 1;
    at = end;
  }
}

function childPath(path: string, field: number): string {
  return path === '' ? String(field) : `${path}.${field}`;
}

/** A scalar field must not come as bytes: the library would read a number from them. Fields of later versions may. */
function checkUnknown(field: number, path: string, at: number): void {
  if (path === '' ? field <= 15 : field <= 10) throw malformed(at, `bytes where field ${field} is a number`);
}

function checkPacked(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; ) at = skipVarint(bytes, at, to);
}

function skipVarint(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < Math.min(to, from + maxVarintBytes); at++) if ((bytes[at] ?? 0) < 0x80) return at + 1;
  throw malformed(from, 'a number without an end');
}

function readLength(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > 5) throw malformed(from, 'a length beyond the end');
  let length = 0;
  for (let at = from; at < to; at++) length += ((bytes[at] ?? 0) & 0x7f) * 2 ** (7 * (at - from));
  return length;
}

function malformed(at: number, what: string): ProfileError {
  return new ProfileError('malformed', `not a well-formed profile: ${what}, at byte ${at}`);
}
