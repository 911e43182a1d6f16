/** Attach points of an unstripped Go binary by the Go toolchain's own disassembler: the tests' oracle. */
import { execFileSync } from 'node:child_process';
import type { AttachPoint, GcControllerLayout } from '../protocol.ts';

const functions = {
  stw: 'runtime.startTheWorldWithSema',
  assist: 'runtime.gcAssistAlloc',
  cycleEnd: 'runtime.(*gcControllerState).endCycle',
};

/** DWARF of Go 1.26, by gdb; the struct's text is the same since 1.22. */
export const goLayout: GcControllerLayout = {
  gcPercent: 0,
  memoryLimit: 8,
  heapMinimum: 16,
  gcPercentHeapGoal: 72,
  sweepDistMinTrigger: 80,
  triggered: 88,
  lastHeapGoal: 96,
  heapLive: 104,
  lastStackScan: 128,
  globalsScan: 144,
  heapMarked: 152,
  assistTime: 192,
  dedicatedMarkTime: 200,
  fractionalMarkTime: 208,
  idleMarkTime: 216,
  markStartTime: 224,
  heapInUse: 272,
  heapReleased: 280,
  heapFree: 288,
  totalAlloc: 296,
  totalFree: 304,
  mappedReady: 312,
};

interface Instruction {
  readonly address: number;
  readonly bytes: string;
  readonly text: string;
}

/** Where the probe has to stop in `binary`. @param astray functions to take instead, for what is to go wrong */
export function attachPoints(binary: string, astray: Partial<typeof functions> = {}): AttachPoint[] {
  const symbols = { ...functions, ...astray };
  const toOffset = textOffset(binary);
  const at = (point: AttachPoint['point'], { address, bytes }: Instruction): AttachPoint => ({
    point,
    offset: toOffset(address),
    bytes,
  });
  const stw = disassemble(binary, symbols.stw);
  const assist = disassemble(binary, symbols.assist);
  const cycleEnd = disassemble(binary, symbols.cycleEnd);
  return [
    at('stwEntry', push(stw)),
    ...rets(stw).map((ret) => at('stwRet', ret)),
    at('assistEntry', push(assist)),
    ...rets(assist).map((ret) => at('assistRet', ret)),
    at('cycleEnd', push(cycleEnd)),
  ];
}

function disassemble(binary: string, name: string): Instruction[] {
  const pattern = `^${name.replaceAll(/[.*()]/g, '\\$&')}$`;
  const listing = execFileSync('go', ['tool', 'objdump', '-s', pattern, binary], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return [...listing.matchAll(/^\s+\S+:\d+\s+0x([0-9a-f]+)\s+([0-9a-f]+)\s+(\S.*?)\s*$/gm)].map(
    ([, address = '', bytes = '', text = '']) => ({ address: Number.parseInt(address, 16), bytes, text }),
  );
}

function push(code: Instruction[]): Instruction {
  const found = code.find(({ text }) => text === 'PUSHQ BP');
  if (found === undefined) throw new Error('no PUSHQ BP');
  return found;
}

function rets(code: Instruction[]): Instruction[] {
  return code.filter(({ text }) => text === 'RET');
}

/** File offset of an address in the executable segment, by readelf. */
function textOffset(binary: string): (address: number) => number {
  const headers = execFileSync('readelf', ['-lW', binary], { encoding: 'utf8' });
  const load = /LOAD\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+R E/.exec(headers);
  const [, offset = '', address = ''] = load ?? [];
  return (wanted) => wanted - Number.parseInt(address, 16) + Number.parseInt(offset, 16);
}
