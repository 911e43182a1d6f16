import type { WireErrorCode } from './protocol.ts';

/** Codes of the client's own; the others come from the probe (`WireErrorCode`). */
export type ClientErrorCode =
  | 'OTHER_FILE'
  | 'PROBE_NOT_FOUND'
  | 'PROBE_NOT_STARTED'
  | 'PROBE_EXITED'
  | 'PROBE_STOPPED'
  | 'PROBE_PROTOCOL'
  | 'PROBE_TIMEOUT';

export type ProbeErrorCode = WireErrorCode | ClientErrorCode;

/** Something the probe refused or could not do. `message` says what happened, to what, and what to do. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
  /** One of `ProbeErrorCode`, or a code that only a newer probe knows. */
  readonly code: ProbeErrorCode | (string & {});

  constructor(code: ProbeErrorCode | (string & {}), message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
