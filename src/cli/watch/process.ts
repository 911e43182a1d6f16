/** The process that was named on the command line, or the sentence that says why there is none to watch. */
import { openProc, type Proc } from '../../host/index.ts';
import { CliError, exitCodes } from '../exit.ts';

export interface NamedProcess {
  readonly proc: Proc;
  readonly pid: number;
  readonly startTicks: number;
  readonly comm: string;
}

export function namedProcess(text: string): NamedProcess {
  const pid = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(pid) || pid < 1) {
    throw new CliError(exitCodes.usage, `--pid ${text}: write the number of a process, such as --pid 4711`);
  }
  const proc = openProc();
  const identity = proc.identity(pid);
  if (!identity) {
    throw new CliError(
      exitCodes.environment,
      `there is no process ${pid}: look for it with pgrep, or was it in another container?`,
    );
  }
  return { proc, pid, startTicks: identity.startTicks, comm: proc.comm(pid) ?? `pid ${pid}` };
}
