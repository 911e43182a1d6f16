import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outputFile } from './output-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'robotgc-output-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a new name and an older bundle are fine', () => {
  writeFileSync(join(folder, 'old.tar.gz'), '');
  expect(outputFile(join(folder, 'old.tar.gz'))).toBe(join(folder, 'old.tar.gz'));
  expect(outputFile(join(folder, 'new.tar.gz'))).toBe(join(folder, 'new.tar.gz'));
});

it('a device, a folder or a link is not replaced', () => {
  mkdirSync(join(folder, 'sub'));
  symlinkSync('/dev/null', join(folder, 'link'));
  for (const path of ['/dev/null', join(folder, 'sub'), join(folder, 'link')])
    expect(() => outputFile(path)).toThrow(/not a regular file.*name another/);
});

it('a folder that is not there is named before anything is captured', () => {
  expect(() => outputFile(join(folder, 'none', 'x.tar.gz'))).toThrow(`there is no folder ${join(folder, 'none')}`);
});
