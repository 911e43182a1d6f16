/** What can go wrong with a virtual machine. The code is stable, the message says what happened and what to do. */
export type VmErrorCode =
  | 'NOT_ROOT'
  | 'MISSING_PROGRAM'
  | 'NO_ARCHIVE'
  | 'BAD_PACKAGE'
  | 'BAD_MODULE'
  | 'BOOT_FAILED'
  | 'ENDED'
  | 'TIMED_OUT'
  | 'COMMAND_FAILED'
  | 'NOT_UP';

export class VmError extends Error {
  readonly code: VmErrorCode;

  constructor(code: VmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VmError';
    this.code = code;
  }
}
