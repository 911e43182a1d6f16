import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { operands as arm64Operands } from './arm64/operands.ts';
import { planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { goObjdump, type Line } from './testing/go-objdump.ts';
import { buildOnce, buildRobot, runGo, supportedToolchains, testdata, whyNoToolchain } from './testing/go-toolchain.ts';
import { type Listing, listings, matrix } from './testing/processors.ts';
import type { OptionalGroupName, OptionalPointName, OptionalPoints, Processor } from './types.ts';
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

const addresses = (lines: readonly Line[], text: RegExp): number[] =>
  lines.filter((line) => text.test(line.text)).map((line) => line.address);

/** Text before the jump that asks: whether to wait for input or output, and `trace.ok()`, for BX holds the tracer's generation. */
const asksBefore = { waitio: 'TESTL CL, CL', traced: 'TESTQ BX, BX' };
/** The same jumps where they ask themselves. */
const asks = { waitio: /^TBN?Z \$0, R2, /, traced: /^CBNZ R1, / };

/** What the listing says: the places by what stands around them, not by any graph. */
function expected(group: OptionalGroupName, lines: readonly Line[], { processor, entry, jump, nop }: Listing): Points {
  const first = addresses(lines, entry).slice(0, 1);
  const rets = addresses(lines, /^RET$/);
  const jumpsThatAsk = (what: keyof typeof asks, among: readonly Line[]): number[] => {
    if (processor === 'arm64') return addresses(among, asks[what]);
    return among.flatMap((line, i) => {
      if (line.text !== asksBefore[what]) return [];
      const next = among.slice(i + 1).find((after) => !nop.test(after.text));
      return next !== undefined && jump.test(next.text) ? [next.address] : [];
    });
  };
  switch (group) {
    case 'heapGrow':
      return new Map([['heapGrow', first]]);
    case 'tlsClient':
      return new Map([
        ['tlsClientEntry', first],
        ['tlsClientRet', rets],
      ]);
    case 'tlsServer':
      return new Map([
        ['tlsServerEntry', first],
        ['tlsServerRet', rets],
      ]);
    case 'pollPark': {
      // `if waitio ||` before the park, `if old > pdWait` after it.
      const park = lines.findIndex((line) => line.text.startsWith('CALL runtime.gopark('));
      const after = lines.slice(park).find((line) => jump.test(line.text));
      return new Map([
        ['pollParkBegin', jumpsThatAsk('waitio', lines.slice(0, park))],
        ['pollParkEnd', [after?.address ?? 0]],
      ]);
    }
    case 'stwStopping':
      return new Map([['stwStopped', addresses(lines, /^CALL runtime\.\(\*timeHistogram\)\.record\(SB\)/)]]);
    case 'assistSlow': {
      const [begin = 0, ...ends] = jumpsThatAsk('traced', lines);
      return new Map([
        ['assistSlowBegin', [begin]],
        ['assistSlowEnd', ends],
      ]);
    }
  }
}

const sorted = (points: Points): unknown => [...points].map(([name, at]) => [name, [...at].sort((a, b) => a - b)]);

interface Checked {
  readonly version: string;
  readonly listing: Listing;
  readonly file: string;
  readonly twin: string;
}

function check({ version, listing, file, twin }: Checked, groups: readonly OptionalGroupName[]): void {
  const found = optionalOf(file);
  for (const group of groups) {
    const lines = goObjdump(version, twin, symbolOf[group], listing.processor);
    expect(sorted(pointsOf(found.get(group)))).toEqual(sorted(expected(group, lines, listing)));
    checkWrites(lines, listing.processor);
  }
}

/** Go 1.22's worldStop does not tell how long stopping took; later ones need no point for it. */
const onlyIn = (version: string): OptionalGroupName[] => (version.startsWith('1.22.') ? ['stwStopping'] : []);

const byGoName = new Map<string, number>(registerNames.map((name, number) => [name.toUpperCase(), number]));
/** R0 to R30. */
function numberOf(operand: string): number | undefined {
  const digits = /^R(\d+)$/.exec(operand)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const readsOnly = /^(CMP|CMN|CCMP|TST|TEST|BT[LQW]|J|PUSH|CALL|NOP|UCOMI|COMI|MSR)/;

/** The listing's last operand is what an instruction writes, when that is a register: never may it be missing. */
function checkWrites(lines: readonly Line[], processor: Processor): void {
  for (const { text, bytes } of lines) {
    if (readsOnly.test(text)) continue;
    const operand = /[ ,]([A-Z0-9]+)$/.exec(text)?.[1] ?? '';
    const x86Name = /^(A|B|C|D|SI|DI|BP|SP)L$/.test(operand) ? operand.replace(/L$/, '').padEnd(2, 'X') : operand;
    const register = processor === 'arm64' ? numberOf(operand) : byGoName.get(x86Name);
    if (register === undefined) continue;
    const read = processor === 'arm64' ? arm64Operands : operands;
    const { writes } = read(Buffer.from(bytes, 'hex'), 0);
    expect(writes === 'any' || writes.has(register), `${bytes} ${text}`).toBe(true);
  }
}

describe.skipIf(missing !== undefined)(
  `optional points of real Go programs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const [amd64, arm64] = listings;

    it.each(supportedToolchains)('the go command of %s itself, which is a TLS client and no server', (version) => {
      const file = join(runGo(version, ['env', 'GOROOT']).trim(), 'bin', 'go');
      if (amd64 === undefined) throw new Error('no listing');
      const checked = { version, listing: amd64, file, twin: file };
      check(checked, ['heapGrow', 'tlsClient', 'pollPark', 'assistSlow', ...onlyIn(version)]);
      expect(optionalOf(file).get('tlsServer')).toMatchObject({
        kind: 'absent',
        reason: 'function-not-found',
        message: 'this program has no function crypto/tls.(*Conn).serverHandshake',
      });
    });

    it.each(supportedToolchains)(
      'a TLS client and server of go%s for arm64',
      (version) => {
        if (arm64 === undefined) throw new Error('no listing');
        const env = { ...arm64.env, CGO_ENABLED: '0' };
        const file = buildOnce(version, `${testdata}tls`, 'tls', [], env);
        check({ version, listing: arm64, file, twin: file }, ['tlsClient', 'tlsServer']);
      },
      buildTimeoutMs,
    );

    describe.each(matrix)('$name', ({ version, listing }) => {
      const { env, variants } = listing;
      it.each(variants)(
        '$name',
        (variant) => {
          const twin = variants.find((other) => other.name === variant.twin) ?? variant;
          const [file, twinFile] = [variant, twin].map((each) => buildRobot(version, each, env));
          check({ version, listing, file: file ?? '', twin: twinFile ?? '' }, [
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
