/** Ends a command on Ctrl-C, SIGTERM, a reader that has gone (`… | head`), or after its time. */
export interface UserStop extends Disposable {
  readonly signal: AbortSignal;
}

export function userStop(limitMs: number | null): UserStop {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const onPipe = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    stop();
  };
  const timer = limitMs === null ? undefined : setTimeout(stop, limitMs);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.stdout.on('error', onPipe);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
