/**
 * Opcode tables of x86-64: does a ModRM byte follow, and how many immediate bytes.
 * Source: Intel SDM volume 2, appendix A (opcode maps, 64-bit mode). What is not listed is not known, and is refused.
 */

/** `z`: 4 bytes, 2 with a 66 prefix. `v`: 8 bytes with REX.W, else as `z`. `group3`: F6/F7, immediate only for /0 and /1. */
export type Immediate = 0 | 1 | 2 | 3 | 'z' | 'v' | 'moffs' | 'group3' | 'rel8' | 'rel32';

export interface Shape {
  readonly modrm: boolean;
  readonly immediate: Immediate;
}

type Map256 = readonly (Shape | undefined)[];

/** Rows: opcodes as `first-last` or single, in hexadecimal. */
function build(rows: readonly (readonly [string, boolean, Immediate])[]): Map256 {
  const map: (Shape | undefined)[] = new Array<Shape | undefined>(256).fill(undefined);
  for (const [ranges, modrm, immediate] of rows) {
    for (const range of ranges.split(' ')) {
      const [first = '', last = first] = range.split('-');
      for (let op = Number.parseInt(first, 16); op <= Number.parseInt(last, 16); op++) map[op] = { modrm, immediate };
    }
  }
  return map;
}

/** Without 9B (FWAIT): disassemblers take it for a prefix, the processor does not, and Go never writes it. */
export const oneByteMap = build([
  ['00-03 08-0b 10-13 18-1b 20-23 28-2b 30-33 38-3b', true, 0],
  ['04 0c 14 1c 24 2c 34 3c', false, 1],
  ['05 0d 15 1d 25 2d 35 3d', false, 'z'],
  ['50-5f 90-99 9c-9f', false, 0],
  ['63', true, 0],
  ['68', false, 'z'],
  ['69', true, 'z'],
  ['6a', false, 1],
  ['6b', true, 1],
  ['70-7f', false, 'rel8'],
  ['80 83', true, 1],
  ['81', true, 'z'],
  ['84-8e', true, 0],
  ['a0-a3', false, 'moffs'],
  ['a4-a7 aa-af', false, 0],
  ['a8', false, 1],
  ['a9', false, 'z'],
  ['b0-b7', false, 1],
  ['b8-bf', false, 'v'],
  ['c0-c1', true, 1],
  ['c2', false, 2],
  ['c3 c9 cc', false, 0],
  ['c6', true, 1],
  ['c7', true, 'z'],
  ['c8', false, 3],
  ['cd', false, 1],
  ['d0-d3 d8-df', true, 0],
  ['e0-e3', false, 'rel8'],
  ['e8-e9', false, 'rel32'],
  ['eb', false, 'rel8'],
  ['f4-f5 f8-fd', false, 0],
  ['f6-f7', true, 'group3'],
  ['fe-ff', true, 0],
]);

/** After 0F. */
export const twoByteMap = build([
  ['00-03 0d 10-1f 28-2f 40-6f 74-76 7c-7f', true, 0],
  ['05 06 0b 30-33 77 a2', false, 0],
  ['70-73 a4 ac ba c2 c4-c6', true, 1],
  ['80-8f', false, 'rel32'],
  ['90-9f a3 a5 ab ad-af b0-b9 bb-c1 c3 c7 d0-ff', true, 0],
  ['c8-cf', false, 0],
]);

/** Opcodes of the 0F map that exist with a VEX prefix and, but for 77 (VZEROUPPER), a ModRM byte. */
export const vexTwoByteMap = build([
  ['10-17 28-2f 41-42 44-47 4a-4b 50-6f 74-76 7c-7f 90-93 98-99 ae d0-fe', true, 0],
  ['70-73 c2 c4-c6', true, 1],
  ['77', false, 0],
]);

export const evexTwoByteMap = build([
  ['10-17 28-2f 51 54-55 56-6f 74-76 78-7b 7e-7f d1-ef f1-f6 f8-fe', true, 0],
  ['70-73 c2 c4-c6', true, 1],
]);
