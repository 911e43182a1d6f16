import type { FunctionBody, FunctionCode } from './function-body.ts';

/** What an instruction does to the flow of control; `target` is relative to the same origin as the `at` given. */
export type Flow =
  | { readonly kind: 'next' | 'return' | 'indirectJump' | 'trap' }
  /** `target` is null for a call through a register or memory. */
  | { readonly kind: 'call'; readonly target: number | null }
  | { readonly kind: 'jump' | 'branch'; readonly target: number }
  /** Decodes, but never stands in compiled Go code: unusual forms of returns and jumps. */
  | { readonly kind: 'foreign' };

export interface Instruction {
  readonly length: number;
  readonly flow: Flow;
}

/** A general register by the number that the processor's encoding gives it. */
export type Register = number;

/** What an instruction does to general registers, as far as is known. */
export interface Operands {
  /** Registers that it may change, or `any` when that is not known (calls among them: Go's ABI saves none). */
  readonly writes: ReadonlySet<Register> | 'any';
  /** Set when it puts a constant into `register` that is zero, or whose low byte tells every `zeroTest` that it is not. */
  readonly constant?: { readonly register: Register; readonly value: number };
}

/** A branch that asks whether one register (its low bit at least) is zero. */
export interface ZeroTest {
  readonly register: Register;
  /** It jumps when the register is zero; else when it is not. */
  readonly jumpsOnZero: boolean;
}

/** How the code of one processor is read. Indices are into the function's code. */
export interface InstructionSet {
  /** Undefined when it is not one that is known: then the function is refused. */
  readonly decode: (code: Uint8Array, at: number) => Instruction | undefined;
  /** Does nothing: padding, where nothing jumps to it. */
  readonly isNop: (code: Uint8Array, at: number) => boolean;
  readonly operands: (code: Uint8Array, at: number) => Operands;
  /** What the branch at `at` asks, when it asks for one register. */
  readonly zeroTest: (code: Uint8Array, body: FunctionBody, at: number) => ZeroTest | undefined;
  /** The instruction after the stack check where the arguments are still in their registers, passed once per call; or refuses. */
  readonly entry: (fn: FunctionCode, body: FunctionBody) => number;
  /** A jump at which a probe does no harm and costs little: the kernel emulates it. */
  readonly mayCarryProbe: (fn: FunctionCode, body: FunctionBody, at: number) => boolean;
  /** Is the call at `at` one of assembly with the old ABI, by its look? Stripped programs name such a function like its wrapper. */
  readonly callsAssembly: (code: Uint8Array, body: FunctionBody, at: number) => boolean;
  /** The register of the second integer argument. */
  readonly secondArgument: Register;
}
