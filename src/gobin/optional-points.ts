import type { Architecture } from './architecture.ts';
import { countCallSites } from './code/calls.ts';
import { type FunctionBody, type FunctionCode, hex, walkFunction } from './code/function-body.ts';
import { callSpan, oneOfCalls, parkSpan, slowAssistSpan } from './code/spans.ts';
import type { ElfFile } from './elf/elf.ts';
import { type RuntimeFunctions, readFunction } from './go/functions.ts';
import { orRefused, refuse } from './refusal.ts';
import type { AttachPoint, OptionalGroupName, OptionalPointName, OptionalPoints } from './types.ts';
import type { Window } from './window.ts';

const checkBytes = 8;

export const assistSlowCalls = {
  start: 'runtime.traceLocker.GCMarkAssistStart',
  done: 'runtime.traceLocker.GCMarkAssistDone',
} as const;
const park = 'runtime.gopark';
const stoppingRecord = 'runtime.(*timeHistogram).record';

/** The fourth argument at stwEntry holds `finishedStopping` since this version (runtime/proc.go, worldStop). */
export const finishedStoppingSinceMinor = 23;

type Located = FunctionCode & { readonly offset: number };
type Place = readonly [OptionalPointName, number];

type AddressOf = (name: string) => number | undefined;

interface Group {
  readonly group: OptionalGroupName;
  readonly symbol: string;
  /** Call sites in the runtime's source that every program has: fewer mean that it was inlined. */
  readonly callSites: number;
  /** Other functions that tell where in this one. */
  readonly needs: readonly string[];
  /** The first minor version of Go that does not need it. */
  readonly untilMinor?: number;
  readonly find: (fn: Located, body: FunctionBody, addressOf: AddressOf) => readonly Place[];
}

/** A whole call: from the instruction after the stack check to each RET. */
function wholeCall(entry: OptionalPointName, ret: OptionalPointName): Group['find'] {
  return (fn, body) => {
    const { begin, ends } = callSpan(fn, body);
    return [[entry, begin], ...ends.map((at): Place => [ret, at])];
  };
}

const groups: readonly Group[] = [
  {
    // allocSpan (runtime/mheap.go); a second call there is for OpenBSD alone.
    group: 'heapGrow',
    symbol: 'runtime.(*mheap).grow',
    callSites: 1,
    needs: [],
    find: (fn, body) => [['heapGrow', body.set.entry(fn, body)]],
  },
  {
    // By its method value (crypto/tls.Client) and handleRenegotiation. Not handshakeContext: every Read and Write of an open connection
    // goes through that one.
    group: 'tlsClient',
    symbol: 'crypto/tls.(*Conn).clientHandshake',
    callSites: 1,
    needs: [],
    find: wholeCall('tlsClientEntry', 'tlsClientRet'),
  },
  {
    group: 'tlsServer',
    symbol: 'crypto/tls.(*Conn).serverHandshake',
    callSites: 1,
    needs: [],
    find: wholeCall('tlsServerEntry', 'tlsServerRet'),
  },
  {
    // poll_runtime_pollWait (runtime/netpoll.go). It has a second caller in the source, which only Windows programs keep.
    group: 'pollPark',
    symbol: 'runtime.netpollblock',
    callSites: 1,
    needs: [park],
    find: (fn, body, addressOf) => {
      const { begin, ends } = parkSpan(fn, body, addressOf(park));
      return [['pollParkBegin', begin], ...ends.map((at): Place => ['pollParkEnd', at])];
    },
  },
  {
    group: 'assistSlow',
    symbol: 'runtime.gcAssistAlloc',
    callSites: 1,
    needs: [assistSlowCalls.start, assistSlowCalls.done],
    find: (fn, body, addressOf) => {
      const { begin, ends } = slowAssistSpan(fn, body, {
        start: addressOf(assistSlowCalls.start),
        done: addressOf(assistSlowCalls.done),
      });
      return [['assistSlowBegin', begin], ...ends.map((at): Place => ['assistSlowEnd', at])];
    },
  },
  {
    // gcStart, gcMarkDone (runtime/mgc.go), stopTheWorld (runtime/proc.go).
    group: 'stwStopping',
    symbol: 'runtime.stopTheWorldWithSema',
    callSites: 3,
    needs: [stoppingRecord],
    untilMinor: finishedStoppingSinceMinor,
    find: (fn, body, addressOf) =>
      oneOfCalls(fn, body, addressOf(stoppingRecord)).map((at): Place => ['stwStopped', at]),
  },
];

/** The functions that the optional points are in, and those that tell where. */
export const optionalFunctions: readonly string[] = [...new Set(groups.flatMap((g) => [g.symbol, ...g.needs]))];

/** Every group with its points, or with the reason why it has none here: that never refuses the program. */
export function optionalPoints(
  arch: Architecture,
  elf: ElfFile,
  file: Window,
  found: RuntimeFunctions,
  minor: number,
): OptionalPoints[] {
  const possible = groups.filter(({ untilMinor = Number.POSITIVE_INFINITY }) => minor < untilMinor);
  return possible.map(({ group, symbol, callSites, find }): OptionalPoints => {
    const points = orRefused(() => {
      if (!found.functions.has(symbol)) refuse('function-not-found', `this program has no function ${symbol}`);
      const fn = readFunction(elf, file, found, symbol);
      const calls = countCallSites(arch.calls, elf, file, fn.address);
      if (calls < callSites) {
        refuse(
          'inlined',
          `${symbol} is called from ${calls} places instead of ${callSites}: the compiler inlined it at others`,
        );
      }
      const places = find(fn, walkFunction(arch.instructions, fn), (name) => found.functions.get(name)?.address);
      return places.map(
        ([point, index]): AttachPoint<OptionalPointName> => ({
          point,
          offset: fn.offset + index,
          bytes: hex(fn.code.subarray(index, index + checkBytes)),
          symbol,
          address: fn.address + index,
        }),
      );
    });
    if ('kind' in points) return { kind: 'absent', group, reason: points.reason, message: points.message };
    return { kind: 'ok', group, points };
  });
}
