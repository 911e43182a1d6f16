import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DescriptorBudget, keptDescriptors } from './descriptor-budget.ts';
import { KeptFile } from './kept-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'robotgc-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const parse = (text: string): { n: number } | undefined => (/^\d+$/.test(text) ? { n: Number(text) } : undefined);

describe.each([
  ['kept open', 1],
  ['beyond the budget', 0],
])('a file %s', (_, max) => {
  it('shows what is in it now, and the same object while nothing changed', () => {
    const budget = new DescriptorBudget(max);
    const path = join(folder, 'f');
    writeFileSync(path, '1');
    const file = new KeptFile('f', path, { parse, budget });
    const first = file.read();
    expect(first).toEqual({ n: 1 });
    expect(budget.taken).toBe(max);
    expect(file.read()).toBe(first);
    writeFileSync(path, '22');
    expect(file.read()).toEqual({ n: 22 });
    writeFileSync(path, 'x');
    expect(file.read()).toBeNull();
    expect(file).toMatchObject({ value: null, problem: 'not understood', lost: true });
    writeFileSync(path, '3');
    expect(file.read()).toEqual({ n: 3 });
    expect(file).toMatchObject({ problem: null, lost: false });
    file.close();
    file.close();
    expect(budget.taken).toBe(0);
    expect(file.read()).toEqual({ n: 3 });
  });

  it('that is absent is looked for again only when told', () => {
    const budget = new DescriptorBudget(max);
    const path = join(folder, 'later');
    const file = new KeptFile('later', path, { parse, budget });
    expect(file.read(false)).toBeNull();
    expect(file).toMatchObject({ problem: 'ENOENT', lost: false });
    writeFileSync(path, '5');
    expect(file.read(false)).toBeNull();
    expect(file.read(true)).toEqual({ n: 5 });
    expect(file.read(false)).toEqual({ n: 5 });
  });
});

it('a file of a hierarchy that is not there says so', () => {
  const file = new KeptFile('f', null, { parse, budget: new DescriptorBudget(1) });
  expect(file.read()).toBeNull();
  expect(file.problem).toBe('no such hierarchy');
});

it.each([
  ['Max open files            1024                 524288               files\n', 512],
  ['Max processes 1 1\nMax open files            1048576              1048576              files\n', 8192],
  ['Max open files            unlimited            unlimited            files\n', 8192],
  ['nonsense', 512],
  [undefined, 512],
])('%j gives %d descriptors to keep', (text, expected) => expect(keptDescriptors(text)).toBe(expected));
