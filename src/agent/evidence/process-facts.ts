/** What /proc tells of the processes under watch. Of their environment only the collector's variables, of their arguments nothing. */
import type { Proc } from '../../host/index.ts';
import type { ProcessFacts } from './entries.ts';

export function processFacts(proc: Proc, pids: readonly number[]): ProcessFacts[] {
  return pids.map((pid) => {
    const comm = proc.comm(pid);
    const status = proc.status(pid);
    const environment = proc.goEnvironment(pid);
    return {
      pid,
      ...(comm === undefined ? {} : { comm }),
      ...(status ? { status } : {}),
      ...(environment ? { environment } : {}),
    };
  });
}
