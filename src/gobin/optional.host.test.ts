import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { goObjdump, type Line } from './testing/go-objdump.ts';
import { buildRobot, runGo, supportedToolchains, variants, whyNoToolchain } from './testing/go-toolchain.ts';
import type { OptionalGroupName, OptionalPointName, OptionalPoints } from './types.ts';
import { operands, registerNames } from './x86/writes.ts';

/** The optional points of real programs against `go tool objdump`. */
const missing = whyNoToolchain();
const buildTimeoutMs = 600_000;
const symbolOf: Readonly<Record<OptionalGroupName, string>> = {
  heapGrow: 'runtime.(*mheap).grow',
  tlsClient: 'crypto/tls.(*Conn).clientHandshake',
  tlsServer: 'crypto/tls.(*Conn).serverHandshake',
  pollPark: 'runtime.netpollblock',
  assistSlow: 'runtime.gcAssistAlloc',
  stwStopping: 'runtime.stopTheWorldWithSema',
};

type Points = ReadonlyMap<OptionalPointName, readonly number[]>;

function optionalOf(file: string): Map<OptionalGroupName, OptionalPoints> {
  const plan = planAttach(bytesReader(readFileSync(file)));
  if (plan.kind === 'refused') throw new Error(`${plan.reason}: ${plan.message}`);
  return new Map(plan.optional.map((group) => [group.group, group]));
}

function pointsOf(group: OptionalPoints | undefined): Points {
  if (group?.kind !== 'ok') throw new Error(group?.message ?? 'no such group');
  const names = [...new Set(group.points.map((p) => p.point))];
  return new Map(names.map((name) => [name, group.points.filter((p) => p.point === name).map((p) => p.address)]));
}

const isJump = (line: Line | undefined): boolean => /^J[A-Z]+ /.test(line?.text ?? '');
const isNop = (line: Line | undefined): boolean => /^NOP|^XCHGL AX, AX/.test(line?.text ?? '');
const addresses = (lines: readonly Line[], text: RegExp): number[] =>
  lines.filter((line) => text.test(line.text)).map((line) => line.address);

/** What the listing says: the places by what stands around them, not by any graph. */
function expected(group: OptionalGroupName, lines: readonly Line[]): Points {
  const push = addresses(lines, /^PUSHQ BP$/).slice(0, 1);
  const rets = addresses(lines, /^RET$/);
  /** The jump behind each line of this text. */
  const jumpsAfter = (text: string): number[] =>
    lines.flatMap((line, i) => {
      if (line.text !== text) return [];
      const next = lines.slice(i + 1).find((after) => !isNop(after));
      return isJump(next) ? [next?.address ?? 0] : [];
    });
  switch (group) {
    case 'heapGrow':
      return new Map([['heapGrow', push]]);
    case 'tlsClient':
      return new Map([
        ['tlsClientEntry', push],
        ['tlsClientRet', rets],
      ]);
    case 'tlsServer':
      return new Map([
        ['tlsServerEntry', push],
        ['tlsServerRet', rets],
      ]);
    case 'pollPark': {
      // `if waitio ||` before the park, `if old > pdWait` after it.
      const park = lines.findIndex((line) => line.text.startsWith('CALL runtime.gopark('));
      const after = lines.slice(park).find(isJump);
      return new Map([
        ['pollParkBegin', jumpsAfter('TESTL CL, CL')],
        ['pollParkEnd', [after?.address ?? 0]],
      ]);
    }
    case 'stwStopping':
      return new Map([['stwStopped', addresses(lines, /^CALL runtime\.\(\*timeHistogram\)\.record\(SB\)/)]]);
    case 'assistSlow': {
      // `if trace.ok()`: BX holds the tracer's generation.
      const [begin = 0, ...ends] = jumpsAfter('TESTQ BX, BX');
      return new Map([
        ['assistSlowBegin', [begin]],
        ['assistSlowEnd', ends],
      ]);
    }
  }
}

const sorted = (points: Points): unknown => [...points].map(([name, at]) => [name, [...at].sort((a, b) => a - b)]);

function check(version: string, file: string, twin: string, groups: readonly OptionalGroupName[]): void {
  const found = optionalOf(file);
  for (const group of groups) {
    const lines = goObjdump(version, twin, symbolOf[group]);
    expect(sorted(pointsOf(found.get(group)))).toEqual(sorted(expected(group, lines)));
    checkWrites(lines);
  }
}

/** Go 1.22's worldStop does not tell how long stopping took; later ones need no point for it. */
const onlyIn = (version: string): OptionalGroupName[] => (version.startsWith('1.22.') ? ['stwStopping'] : []);

const byGoName = new Map<string, number>(registerNames.map((name, number) => [name.toUpperCase(), number]));
const readsOnly = /^(CMP|TEST|BT[LQW]|J|PUSH|CALL|NOP|UCOMI|COMI)/;

/** The listing's last operand is what an instruction writes, when that is a register: never may it be missing. */
function checkWrites(lines: readonly Line[]): void {
  for (const { text, bytes } of lines) {
    const operand = /[ ,]([A-Z0-9]+)$/.exec(text)?.[1] ?? '';
    const name = /^(A|B|C|D|SI|DI|BP|SP)L$/.test(operand) ? operand.replace(/L$/, '').padEnd(2, 'X') : operand;
    const register = byGoName.get(name);
    if (register === undefined || readsOnly.test(text)) continue;
    const { writes } = operands(Buffer.from(bytes, 'hex'), 0);
    expect(writes === 'any' || writes.has(register), `${bytes} ${text}`).toBe(true);
  }
}

describe.skipIf(missing !== undefined)(
  `optional points of real Go programs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    describe.each(supportedToolchains)('go%s', (version) => {
      it('the go command itself, which is a TLS client and no server', () => {
        const file = join(runGo(version, ['env', 'GOROOT']).trim(), 'bin', 'go');
        check(version, file, file, ['heapGrow', 'tlsClient', 'pollPark', 'assistSlow', ...onlyIn(version)]);
        expect(optionalOf(file).get('tlsServer')).toMatchObject({
          kind: 'absent',
          reason: 'function-not-found',
          message: 'this program has no function crypto/tls.(*Conn).serverHandshake',
        });
      });

      it.each(variants)(
        '$name',
        (variant) => {
          const twin = variants.find((other) => other.name === variant.twin) ?? variant;
          check(version, buildRobot(version, variant), buildRobot(version, twin), [
            'heapGrow',
            'pollPark',
            'assistSlow',
            ...onlyIn(version),
          ]);
        },
        buildTimeoutMs,
      );
    });
  },
);
