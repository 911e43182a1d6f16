import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';

/** One edge of a call graph, with lines as `go tool objdump` shows them. */
export interface HotCall {
  readonly caller: string;
  readonly callerStartLine: number;
  readonly callLine: number;
  readonly callee: string;
  readonly calleeLine: number;
}

/** A CPU profile in which nothing but one call is hot: what `go build -pgo` inlines by. */
export function profileOf(call: HotCall): Uint8Array {
  const stringTable = new StringTable();
  const id = (text: string): number => stringTable.dedup(text);
  const type = (name: string, unit: string): ValueType => new ValueType({ type: id(name), unit: id(unit) });
  const functions = [
    new PprofFunction({
      id: 1,
      name: id(call.callee),
      systemName: id(call.callee),
      filename: id('runtime.go'),
      startLine: call.calleeLine,
    }),
    new PprofFunction({
      id: 2,
      name: id(call.caller),
      systemName: id(call.caller),
      filename: id('runtime.go'),
      startLine: call.callerStartLine,
    }),
  ];
  const location = [
    new Location({ id: 1, line: [new Line({ functionId: 1, line: call.calleeLine })] }),
    new Location({ id: 2, line: [new Line({ functionId: 2, line: call.callLine })] }),
  ];
  const profile = new Profile({
    stringTable,
    sampleType: [type('samples', 'count'), type('cpu', 'nanoseconds')],
    periodType: type('cpu', 'nanoseconds'),
    period: 10_000_000,
    function: functions,
    location,
    sample: [new Sample({ locationId: [1, 2], value: [1000, 10_000_000_000] })],
  });
  return profile.encode();
}
