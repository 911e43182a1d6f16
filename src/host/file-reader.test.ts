import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileReader } from './file-reader.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robotgc-file-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('file reader', () => {
  it('reads what exists of a range', () => {
    const file = join(directory, 'ten');
    writeFileSync(file, '0123456789');
    using reader = openFileReader(file);
    const text = (offset: number, length: number): string => new TextDecoder().decode(reader.read(offset, length));
    expect(reader.size).toBe(10);
    expect([text(0, 3), text(7, 3), text(8, 99), text(10, 1), text(-1, 5), text(3, 0), text(Number.NaN, 3)]).toEqual([
      '012',
      '789',
      '89',
      '',
      '',
      '',
      '',
    ]);
    truncateSync(file, 5);
    expect(text(3, 7)).toBe('34');
  });

  it('is closed by `using`, twice without harm, and then refuses', () => {
    const file = join(directory, 'some');
    writeFileSync(file, 'text');
    const reader = openFileReader(file);
    reader.close();
    reader.close();
    expect(() => reader.read(0, 1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  it('refuses what is no regular file, without waiting on a FIFO', () => {
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    expect(() => openFileReader(join(directory, 'fifo'))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => openFileReader(directory)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => openFileReader(join(directory, 'absent'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
