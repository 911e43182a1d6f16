/**
 * Runs parts side by side under one signal. The first failure stops the others, and is thrown when all have ended: nothing outlives the
 * call.
 */
export async function together(
  outer: AbortSignal,
  starts: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(outer.reason);
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) onAbort();
  let failure: { readonly error: unknown } | undefined;
  const guard = async (start: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await start(stop.signal);
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  };
  await Promise.all(starts.map(guard));
  outer.removeEventListener('abort', onAbort);
  if (failure !== undefined) throw failure.error;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
