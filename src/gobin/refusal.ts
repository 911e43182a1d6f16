import type { RefusalCode, Refused } from './types.ts';

/** Thrown inside this room, turned into a `Refused` value at its door. */
export class BinaryRefusedError extends Error {
  override readonly name = 'BinaryRefusedError';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function refuse(code: RefusalCode, message: string): never {
  throw new BinaryRefusedError(code, message);
}

/** Runs `work`; a refusal becomes a value. Errors of the reader itself (I/O) pass through. */
export function orRefused<T>(work: () => T): T | Refused {
  try {
    return work();
  } catch (error) {
    if (error instanceof BinaryRefusedError) return { kind: 'refused', reason: error.code, message: error.message };
    throw error;
  }
}
