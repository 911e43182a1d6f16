/**
 * Random access to the bytes of a file. Pure: the file-backed one lives in `src/host/file-reader.ts`.
 *
 * `read` returns the bytes of `[offset, offset + length)` that exist; past the end it returns fewer, never throws.
 * The returned array may be a view: callers do not write to it.
 */
export interface ByteReader {
  /** Bytes in the file. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Stable codes: shown in a policy's status for each refused container. */
export type RefusalCode =
  | 'not-elf'
  | 'truncated'
  | 'malformed'
  | 'no-sections'
  | 'unsupported-arch'
  | 'not-go'
  | 'tinygo'
  | 'unsupported-go-version'
  | 'unsupported-pclntab'
  | 'text-start-unknown'
  | 'function-not-found'
  | 'unknown-instruction'
  | 'unexpected-code'
  | 'inlined'
  | 'too-large';

/** Why nothing can be attached to this binary: a stable code and a sentence for people. */
export interface Refused {
  readonly kind: 'refused';
  readonly reason: RefusalCode;
  readonly message: string;
}

/**
 * Places in a Go binary where a probe goes.
 *
 * - `stwEntry`, `stwRet`: `runtime.startTheWorldWithSema(now, w worldStop)`; runs on the system stack: key by thread.
 * - `assistEntry`, `assistRet`, `assistExit`: `runtime.gcAssistAlloc(gp *g)`; may park and move between threads: key by the g.
 *   Each way through it passes exactly one of its exits: a RET (`assistRet`), or in its place a jump shortly before it (`assistExit`),
 *   which on amd64 costs the program a tenth because the kernel emulates jumps there and single-steps RET.
 * - `cycleEnd`: entry of `runtime.(*gcControllerState).endCycle`; argument 1 = `&runtime.gcController`.
 *
 * At each entry point the arguments are still in the registers of Go's ABI; these and the g's are in architecture.ts.
 */
export type AttachPointName = 'stwEntry' | 'stwRet' | 'assistEntry' | 'assistRet' | 'assistExit' | 'cycleEnd';

export interface AttachPoint<Name extends string = AttachPointName> {
  readonly point: Name;
  /** Offset in the file, as uprobes want it. */
  readonly offset: number;
  /** The bytes that stand there, lower-case hex, 1 to 8 bytes: compare before attaching, a wrong offset crashes the target. */
  readonly bytes: string;
  /** Name of the function, as the runtime spells it. */
  readonly symbol: string;
  /** Link-time virtual address (before ASLR). */
  readonly address: number;
}

/**
 * Further places, in groups that a program may lack. Each begin is followed by exactly one of its ends: on the same thread or, where it
 * says g, in the same goroutine, which may move between threads.
 *
 * - `heapGrow`: entry of `runtime.(*mheap).grow(h, npage)`; argument 2 = pages of 8 KiB. On the system stack: key by thread. Count only.
 * - `tlsClientEntry`/`tlsClientRet`, `tlsServerEntry`/`tlsServerRet`: `crypto/tls.(*Conn).clientHandshake` and `serverHandshake`
 *   `(c, ctx) error`, which run once per handshake (a renegotiation is another one), never on later reads and writes; key by g. Entry:
 *   argument 1 = `*tls.Conn`. RET: result 1 is 0 when the handshake succeeded. A server's includes the wait for the client's first message.
 * - `pollParkBegin`/`pollParkEnd`: in `runtime.netpollblock`, around its park: passed only where data is not there already; key by g.
 *   Begin: argument 2's low 32 bits are the mode, 'r' (reads, accepts) or 'w' (writes, connects). Both on jumps.
 * - `assistSlowBegin`/`assistSlowEnd`: in `runtime.gcAssistAlloc`, exactly the execution trace's range "GC mark assist"; key by g. An
 *   assist that only stole credit passes none of them. Both on jumps.
 * - `stwStopped`: before Go 1.23 only, where `finishedStopping` is null: in `runtime.stopTheWorldWithSema`, the calls that record how long
 *   stopping took, of which each stop passes one; argument 2 = nanoseconds. No other stop is under way in the process until its `stwRet`.
 */
export type OptionalPointName =
  | 'heapGrow'
  | 'tlsClientEntry'
  | 'tlsClientRet'
  | 'tlsServerEntry'
  | 'tlsServerRet'
  | 'pollParkBegin'
  | 'pollParkEnd'
  | 'assistSlowBegin'
  | 'assistSlowEnd'
  | 'stwStopped';

export type OptionalGroupName = 'heapGrow' | 'tlsClient' | 'tlsServer' | 'pollPark' | 'assistSlow' | 'stwStopping';

/** One group of optional points, or why this program has none: `function-not-found` where it does not contain the code at all. */
export type OptionalPoints =
  | {
      readonly kind: 'ok';
      readonly group: OptionalGroupName;
      readonly points: readonly AttachPoint<OptionalPointName>[];
    }
  | {
      readonly kind: 'absent';
      readonly group: OptionalGroupName;
      readonly reason: RefusalCode;
      readonly message: string;
    };

/** How to read one field of `runtime.gcControllerState`. */
export interface GcControllerField {
  readonly offset: number;
  readonly type: 'int32' | 'int64' | 'uint64';
}

/** The fields of `runtime.gcControllerState` that the product reads or writes. Units: bytes, ns, percent. */
export type GcControllerFieldName =
  | 'gcPercent'
  | 'memoryLimit'
  | 'heapMinimum'
  | 'gcPercentHeapGoal'
  | 'sweepDistMinTrigger'
  | 'triggered'
  | 'lastHeapGoal'
  | 'heapLive'
  | 'lastStackScan'
  | 'globalsScan'
  | 'heapMarked'
  | 'assistTime'
  | 'dedicatedMarkTime'
  | 'fractionalMarkTime'
  | 'idleMarkTime'
  | 'markStartTime'
  | 'heapInUse'
  | 'heapReleased'
  | 'heapFree'
  | 'totalAlloc'
  | 'totalFree'
  | 'mappedReady';

export interface GcControllerLayout {
  /** Which Go this layout was read from, e.g. `go1.26 DWARF`. */
  readonly source: string;
  /** Bytes from the first to the end of the last field read; one read of this many bytes has them all. */
  readonly sizeBytes: number;
  readonly fields: Readonly<Record<GcControllerFieldName, GcControllerField>>;
}

/** Those whose code is read, by Go's names. */
export type Processor = 'amd64' | 'arm64';

export interface AttachPlan {
  readonly kind: 'ok';
  /** E.g. `go1.26.8`. */
  readonly goVersion: string;
  readonly arch: Processor;
  /** Main module path, when the build info has it. */
  readonly modulePath?: string;
  /** The linker's build ID note, when there is one. Two files with the same one are the same program. */
  readonly buildId?: string;
  readonly points: readonly AttachPoint[];
  /** One entry for each group that this Go version may have, in a fixed order. */
  readonly optional: readonly OptionalPoints[];
  readonly layout: GcControllerLayout;
  /** Whether `stwEntry` is told when the last P had stopped: since Go 1.23. Before, only the total pause is known there. */
  readonly stoppingKnown: boolean;
  /** Offset of `goid` (uint64) in `runtime.g`, whose address is the g. */
  readonly goidOffset: number;
  /** Link-time address of `runtime.gcController` when a symbol table tells it; else take it from argument 1 at `cycleEnd`. */
  readonly gcControllerAddress?: number;
  /** True when there is no symbol table (`-s`). */
  readonly stripped: boolean;
  /** True for position-independent executables. */
  readonly pie: boolean;
}

/** Build info as the Go linker writes it (`go version -m`). */
export interface BuildInfo {
  /** E.g. `go1.26.8`, `devel go1.27-…`. */
  readonly goVersion: string;
  /** Path of the main package, when recorded. */
  readonly packagePath?: string;
  /** Path of the main module, when recorded. */
  readonly modulePath?: string;
  /** Build settings such as `-race`, `GOARCH`, `CGO_ENABLED`. */
  readonly settings: ReadonlyMap<string, string>;
}

/** `goVersion(reader)`: a cheap look whether this is a Go program at all. */
export type GoVersionResult =
  | { readonly kind: 'go'; readonly goVersion: string; readonly arch: string; readonly buildInfo: BuildInfo }
  | Refused;
