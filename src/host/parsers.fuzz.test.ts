import { describe, expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import { layoutFor } from '../gobin/index.ts';
import { entryOf } from './auxiliary-vector.ts';
import { bookDecoder } from './controller-books.ts';
import { brokenNumber, corpusOf, foreignTexts } from './testing/foreign-text.ts';

const tokens = [
  'some',
  'full',
  'avg10=',
  'total=',
  'max',
  'unlimited',
  ' kB',
  '0::',
  'NSpid:\t',
  '/libssl.so.3',
  '{',
  '}',
  '"',
  '\\',
  ',',
  '# EOF\n',
  '_total',
  'FFFF',
  ' 01 ',
  ' 0A ',
  'GOGC=',
];

describe('parsers of foreign text take everything, and give no number that is none', () => {
  it.each(foreignTexts)('$name', async (text) => {
    const seeds = { corpus: corpusOf(text), tokens };
    const report = await fuzz({
      name: text.name,
      make: (random) => mutate(random, seeds),
      take: (bytes) => {
        const broken = brokenNumber(text.parse(Buffer.from(bytes).toString('utf8')), text.signed);
        if (broken !== undefined) throw new Error(`gave ${broken}`);
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });
});

describe('parsers of foreign memory', () => {
  it('the auxiliary vector', async () => {
    const vector = Buffer.alloc(64);
    for (const [i, word] of [3n, 0x400040n, 9n, 0x401000n, 25n, 0x7ffd0000n, 0n, 0n].entries())
      vector.writeBigUInt64LE(word, 8 * i);
    const report = await fuzz({
      name: '/proc/PID/auxv',
      make: (random) => mutate(random, { corpus: [vector] }),
      take: (bytes) => {
        const entry = entryOf(Buffer.from(bytes));
        if (entry !== undefined && !(entry >= 0)) throw new Error(`gave ${entry}`);
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });

  it("the collector's books", async () => {
    const layout = layoutFor(26);
    if (layout === undefined) throw new Error('no layout of Go 1.26');
    const decoder = bookDecoder(layout);
    const books = Buffer.alloc(layout.sizeBytes);
    books.writeInt32LE(100, layout.fields.gcPercent.offset);
    books.writeBigUInt64LE(170_000_000n, layout.fields.mappedReady.offset);
    const report = await fuzz({
      name: 'runtime.gcController',
      make: (random) => {
        const bytes = Buffer.alloc(layout.sizeBytes);
        mutate(random, { corpus: [books], maxBytes: layout.sizeBytes }).forEach((byte, at) => {
          bytes[at] = byte;
        });
        return bytes;
      },
      take: (bytes) => {
        const found = decoder.books(bytes, 5e12);
        if (typeof found === 'string') return;
        const broken = brokenNumber({ ...found, gcPercent: found.gcPercent + 1 });
        if (broken !== undefined) throw new Error(`gave ${broken}`);
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });
});
