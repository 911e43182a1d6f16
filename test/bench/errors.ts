export type BenchErrorCode =
  | 'AGENT_ENDED'
  | 'OBSERVER_ENDED'
  | 'PEER_MISSING'
  | 'NOT_BUILT'
  | 'ROBOT_NOT_BUILT'
  | 'ROBOT_ENDED'
  | 'ROBOT_REFUSED'
  | 'ROBOT_RESTLESS'
  | 'WATCH_ENDED'
  | 'NOTHING_TO_MEASURE'
  | 'INTERRUPTED'
  | 'USAGE';

/** A benchmark that could not be run; what it measured is not an error. */
export class BenchError extends Error {
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BenchError';
    this.code = code;
  }
}
