/** What may look at a robot while it is measured. */

export interface Observer extends AsyncDisposable {
  /** Begins to observe. Resolves when everything is attached. */
  begin(pid: number): Promise<void>;
  /** Takes everything out of the robot again. */
  end(): Promise<Seen>;
  /** Processes that do the observing, with their descendants. */
  readonly pids: readonly number[];
}

/** What an observer has seen from its begin to its end: that it observed at all. */
export interface Seen {
  readonly cycles: number;
  readonly assistStalls: number;
  readonly lostEvents: number;
}

/** Nobody looks. */
export const nobody: Observer = {
  pids: [],
  begin: async () => {},
  end: async () => ({ cycles: 0, assistStalls: 0, lostEvents: 0 }),
  [Symbol.asyncDispose]: async () => {},
};
