import { expect } from 'vitest';
import type { Processor } from '../types.ts';
import type { Line } from './go-objdump.ts';

interface Chosen {
  readonly entry: number;
  readonly exits: readonly number[];
  readonly returns: readonly number[];
}

/** The tracer's own calls, and a deferred closure (through a register): all else is the stall itself. */
const mayFollow = /^CALL (runtime\.traceAcquireEnabled\(SB\)|runtime\.traceLocker\.GCMarkAssistDone\(SB\)|[A-Z0-9]+)$/;

/**
 * Holds the exits chosen for gcAssistAlloc against the listing of `go tool objdump`: a graph of its own, made from the text, walked state by
 * state. A state is an instruction and how many exits were passed before it.
 */
export function checkExits(lines: readonly Line[], { entry, exits, returns }: Chosen): void {
  const textAt = new Map(lines.map((line) => [line.address, line.text]));
  const all = [...exits, ...returns];
  for (const at of exits) expect(textAt.get(at)).toMatch(/^J[A-Z]+ /);
  for (const at of returns) expect(textAt.get(at)).toBe('RET');
  const rets = lines.filter((line) => line.text === 'RET').map((line) => line.address);
  expect(all).toHaveLength(rets.length);
  // What ends real work: credit stolen, limited by the CPU limiter, worked or parked. Else the cheap exits would have been lost silently.
  expect(exits).toHaveLength(3);

  const successors = successorsOf(lines);
  const ended = new Set<number>();
  const states = new Set([`${entry} 0`]);
  for (const state of states) {
    const [at = 0, before = 0] = state.split(' ').map(Number);
    const after = before + (all.includes(at) ? 1 : 0);
    expect(after).toBeLessThanOrEqual(1);
    const text = textAt.get(at) ?? '';
    if (before === 1 && text.startsWith('CALL')) expect(text).toMatch(mayFollow);
    if (text === 'RET') {
      expect(after).toBe(1);
      ended.add(at);
    }
    for (const next of successors.get(at) ?? []) states.add(`${next} ${after}`);
  }
  // The rest of the RETs (after deferreturn) nothing jumps to; they stand for themselves.
  for (const ret of rets) if (!ended.has(ret)) expect(returns).toContain(ret);
}

/**
 * The register of the goroutine is that all along: R28 is never written, R14 only right behind the call that does not keep it, from
 * thread-local storage.
 */
export function expectOwnGoroutine(lines: readonly Line[], processor: Processor): void {
  if (processor === 'arm64') {
    expect(lines.filter(({ text }) => /^(?!CMP|CMN|TST|ST|CBN?Z|TBN?Z)\S.*, \(?(R\d+, )?R28\)?$/.test(text))).toEqual(
      [],
    );
    return;
  }
  const writesR14 = (text: string | undefined): boolean => /^(?!CMP|TEST)\S.*, R14[BWL]?$/.test(text ?? '');
  for (const [i, { text }] of lines.entries()) {
    if (!writesR14(text)) continue;
    // Position-independent: first the offset in thread-local storage, then the load.
    const isLoad = /^MOVQ FS:.*, R14$/.test(text);
    if (!isLoad) expect([text, lines[i + 1]?.text]).toEqual(['MOVQ $-0x8, R14', 'MOVQ FS:0(R14), R14']);
    const before = isLoad && writesR14(lines[i - 1]?.text) ? i - 2 : i - 1;
    expect(lines[before]?.text).toBe('XORPS X15, X15');
    expect(lines[before - 1]?.text).toBe('CALL runtime.systemstack.abi0(SB)');
  }
}

function successorsOf(lines: readonly Line[]): Map<number, number[]> {
  const first = lines[0]?.address ?? 0;
  const successors = new Map<number, number[]>();
  for (const [i, { address, text }] of lines.entries()) {
    const following = lines[i + 1]?.address;
    const [, mnemonic = '', operand = ''] = /^(J[A-Z]+) (\S+)$/.exec(text) ?? [];
    const target = operand === 'runtime.gcAssistAlloc(SB)' ? first : Number(operand);
    const next: number[] = [];
    if (mnemonic !== '') {
      expect(lines.some((line) => line.address === target)).toBe(true);
      next.push(target);
    }
    const goesOn = mnemonic !== 'JMP' && !/^(RET|UD2|INT \$0x3)$/.test(text);
    if (goesOn && following !== undefined) next.push(following);
    successors.set(address, next);
  }
  return successors;
}
