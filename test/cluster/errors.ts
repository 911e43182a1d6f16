/** What can go wrong with the local cluster. The code is stable, the message says what happened and what to do. */
export type ClusterErrorCode =
  | 'COMMAND_FAILED'
  | 'BUILD_FAILED'
  | 'NOT_ROOT'
  | 'MISSING_PROGRAM'
  | 'NO_FREE_INDEX'
  | 'NOT_READY'
  | 'PROCESS_ENDED'
  | 'BAD_NAME'
  | 'NOT_UP';

export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}
