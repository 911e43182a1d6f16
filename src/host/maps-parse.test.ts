import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { libsslMappings, parseMapping, runsLibraries } from './maps-parse.ts';

const ssl =
  '7f10a2c00000-7f10a2c58000 r-xp 0001e000 fe:00 131842                     /usr/lib/x86_64-linux-gnu/libssl.so.3';

describe('a line of /proc/PID/maps', () => {
  it('names the file, its range and whether it is code', () => {
    expect(parseMapping(ssl)).toEqual({
      range: '7f10a2c00000-7f10a2c58000',
      isExecutable: true,
      device: 'fe:00',
      inode: 131842,
      path: '/usr/lib/x86_64-linux-gnu/libssl.so.3',
      isDeleted: false,
    });
  });

  it('tells a file that was replaced', () => {
    expect(parseMapping(`${ssl} (deleted)`)).toMatchObject({ isDeleted: true, path: expect.stringMatching(/so\.3$/) });
  });

  it.each([
    ['no file', '7ffc0000-7ffd0000 rw-p 00000000 00:00 0                          [stack]'],
    ['anonymous', '7ffc0000-7ffd0000 rw-p 00000000 00:00 0 '],
    ['an inode too large to be one', ssl.replace('131842', '99999999999999999999')],
    ['cut off', ssl.slice(0, 40)],
    ['nothing', ''],
  ])('is left out: %s', (_name, text) => {
    expect(parseMapping(text)).toBeUndefined();
  });

  it('reads what it is made of, whatever the name', () => {
    const part = fc.stringMatching(/^[^\n/]{1,20}$/).filter((name) => !name.endsWith(' (deleted)'));
    const mapping = fc.record({
      range: fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => `${from.toString(16)}-${to.toString(16)}`),
      isExecutable: fc.boolean(),
      device: fc.tuple(fc.nat(255), fc.nat(255)).map(([major, minor]) => `${major.toString(16)}:${minor.toString(16)}`),
      inode: fc.integer({ min: 1 }),
      path: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
      isDeleted: fc.boolean(),
    });
    fc.assert(
      fc.property(mapping, (m) => {
        const text = `${m.range} r-${m.isExecutable ? 'x' : '-'}p 0000 ${m.device} ${m.inode}   ${m.path}${m.isDeleted ? ' (deleted)' : ''}`;
        expect(parseMapping(text)).toEqual(m);
      }),
    );
  });
});

describe('a process', () => {
  const program = ssl.replace('131842', '7').replace(/\/usr.*/, '/robot');
  it.each([
    ['of one program and its data runs no libraries', [program, program, ssl.replace('r-xp', 'r--p')], false],
    ['with a dynamic linker may load some', [program, ssl.replace('libssl.so.3', 'ld-linux-x86-64.so.2')], true],
    ['that has gone runs nothing', [''], false],
  ])('%s', (_, lines, expected) => {
    expect(runsLibraries(lines.join('\n'))).toBe(expected);
  });
});

describe("OpenSSL's libssl among the mappings", () => {
  it('is found once, by its code', () => {
    const data = ssl.replace('r-xp', 'r--p');
    const other = ssl.replaceAll('libssl.so.3', 'libssl3.so');
    const old = ssl.replace('131842', '7').replace('libssl.so.3', 'libssl.so.1.1');
    const found = libsslMappings([data, ssl, ssl, other, old, ''].join('\n'));
    expect(found.map(({ path, inode }) => [path.split('/').at(-1), inode])).toEqual([
      ['libssl.so.3', 131842],
      ['libssl.so.1.1', 7],
    ]);
  });

  it('never throws and finds nothing but libssl, whatever the text', () => {
    const noise = fc.oneof(
      fc.string(),
      fc.constantFrom(ssl, `${ssl} (deleted)`, '/libssl.so'),
      fc.stringMatching(/^[0-9a-f:\-rwxp /libs.o]{0,90}$/),
    );
    fc.assert(
      fc.property(fc.array(noise), (lines) => {
        for (const { path, isExecutable } of libsslMappings(lines.join('\n'))) {
          expect(isExecutable).toBe(true);
          expect(path).toMatch(/\/libssl\.so[.\d]*$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
