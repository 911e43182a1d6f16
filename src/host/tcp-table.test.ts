import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TcpTableReader } from './tcp-table.ts';

const heading =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n';
const heading6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const rest = ' 00000000:00000000 00:00000000 00000000     0        0 1667 1 00000000df53cbab 100 0 0 10 0';

function read(text: string, port: number, pieceBytes = text.length || 1) {
  const reader = new TcpTableReader(port);
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return reader.result();
}

interface Row {
  readonly v6: boolean;
  readonly local: number;
  readonly remote: number;
  readonly state: number;
}
const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
const line = ({ v6, local, remote, state }: Row, slot: number): string => {
  const address = v6 ? '0000000000000000FFFF00000100007F' : '0100007F';
  return `${String(slot).padStart(4)}: ${address}:${hex(local, 4)} ${address}:${hex(remote, 4)} ${hex(state, 2)}${rest}\n`;
};

describe('the tally of a port', () => {
  it('reads what the kernel wrote', () => {
    const text = `${heading}   0: 0100007F:1F90 00000000:0000 0A${rest}
   1: 0100007F:1F90 0100007F:A40E 01${rest}
   2: 0100007F:A40E 0100007F:1F90 01${rest}
   3: 0100007F:1F90 0100007F:A410 06 00000000:00000000 03:00000483 00000000     0        0 0 3 000000002ab3cc2f                                      \n`;
    expect(read(text, 8080)).toEqual({ kind: 'ok', tally: { established: 1, listening: true } });
    expect(read(text, 0xa40e)).toEqual({ kind: 'ok', tally: { established: 1, listening: false } });
    expect(read(text, 80)).toEqual({ kind: 'ok', tally: { established: 0, listening: false } });
  });

  it('reads the wider table of IPv6, and slots beyond 9999', () => {
    const text = `${heading6}   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A${rest}
12345: 0000000000000000FFFF00000107630A:1F90 0000000000000000FFFF00000207630A:88AC 01${rest}\n`;
    expect(read(text, 8080)).toEqual({ kind: 'ok', tally: { established: 1, listening: true } });
  });

  it('knows an empty table', () => {
    expect(read(heading, 80)).toEqual({ kind: 'ok', tally: { established: 0, listening: false } });
  });

  it('counts exactly what is there, in whatever pieces it comes', () => {
    const port = fc.constantFrom(80, 8080, 0x0800, 65_535, 1);
    const state = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const row = fc.record({ v6: fc.boolean(), local: port, remote: port, state });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), port, fc.integer({ min: 1, max: 400 }), (rows, wanted, piece) => {
        const ours = rows.filter(({ local }) => local === wanted);
        expect(read(heading + rows.map(line).join(''), wanted, piece)).toEqual({
          kind: 'ok',
          tally: {
            established: ours.filter(({ state: s }) => s === 1).length,
            listening: ours.some(({ state: s }) => s === 10),
          },
        });
      }),
    );
  });

  it('is malformed wherever the text ends too early, or a byte is missing within it', () => {
    const text =
      heading + [1, 10, 6].map((state, slot) => line({ v6: false, local: 80, remote: 9, state }, slot)).join('');
    const lineEnds = new Set([...text.matchAll(/\n/g)].map(({ index }) => index + 1));
    for (let end = 0; end < text.length; end++) {
      expect(read(text.slice(0, end), 80).kind, `the first ${end} bytes`).toBe(lineEnds.has(end) ? 'ok' : 'malformed');
    }
    const firstPort = heading.length + '   0: 0100007F:00'.length;
    expect(read(text.slice(0, firstPort) + text.slice(firstPort + 1), 80)).toMatchObject({ kind: 'malformed' });
  });

  it.each([
    ['nothing', ''],
    ['no heading', '   0: 0100007F:1F90 00000000:0000 0A 0\n'],
    ['an address of another length', `${heading}   0: 0100007F00:1F90 00000000:0000 0A 0\n`],
    ['small letters', `${heading}   0: 0100007f:1f90 00000000:0000 0a 0\n`],
    ['an empty line', `${heading}\n`],
    ['another table', `${heading}${heading}`],
  ])('%s is malformed', (_, text) => expect(read(text, 8080).kind).toBe('malformed'));

  it('keeps no more than a line of what never ends', () => {
    const reader = new TcpTableReader(80);
    const started = process.memoryUsage().heapUsed;
    for (let i = 0; i < 4096; i++) reader.push(Buffer.alloc(16 * 1024, 0x41));
    expect(process.memoryUsage().heapUsed - started).toBeLessThan(32 * 1024 * 1024);
    const result = reader.result();
    expect(result.kind === 'malformed' && result.line.length).toBe(200);
  });
});
