import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const promises = [...read('SPEC.md').matchAll(/^- \*\*([A-Z]\d+)\*\* .*?— (.+)$/gm)].map(([, id = '', tests = '']) => ({
  id,
  files: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
}));

test.each(promises)('$id of the specification is held by a test that names it', ({ id, files }) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    expect(existsSync(new URL(file, import.meta.url)), `${file} exists`).toBe(true);
    // In a test's title: (R1), (R1, R12), …
    expect(read(file)).toMatch(new RegExp(`\\([^)]*\\b${id}\\b[^)]*\\)`));
  }
});

test('no promise is unnumbered or numbered twice', () => {
  const ids = promises.map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(35);
  expect(new Set(ids).size).toBe(ids.length);
});
