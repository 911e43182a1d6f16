/**
 * The settings of all Go processes of a container: set in all of them or in none, confirmed by the next cycle of each, and put back to what
 * each had before.
 */
import {
  type GcSettings,
  GcWriteError,
  type GcWriter,
  type Proc,
  type ProcessIdentity,
  type WrittenSettings,
} from '../../host/index.ts';
import { gogcOfSetting } from '../../model/index.ts';
import { awaitEffect } from './effect.ts';
import type { LedgerEntry, LiveLedger } from './ledger.ts';
import { isTooFarOut, sayOutside, type Wish } from './wish.ts';
import { isNoWriter, writerOf } from './writer.ts';

export interface ProcessesOptions {
  readonly proc: Proc;
  readonly ledger: LiveLedger;
  readonly containerId: string;
  readonly onDelete: LedgerEntry['onDelete'];
}

export type SetOutcome =
  | { readonly type: 'applied'; readonly settings: GcSettings }
  /** Written, and no cycle has gone by it yet. */
  | { readonly type: 'pending'; readonly settings: GcSettings }
  /** It is for the program to set. */
  | ({ readonly type: 'awaited' } & Answer)
  | ({ readonly type: 'refused' } & Answer);

interface Answer {
  readonly settings: GcSettings | null;
  readonly reason: string;
  readonly message: string;
}

interface Opened {
  readonly process: ProcessIdentity;
  readonly writer: GcWriter;
  readonly inEffect: GcSettings;
}

/** A busy program collects many times a second; one that is idle is asked again later. */
const effectMs = 2_000;
const restoreMs = 5_000;

export async function setAll(
  processes: readonly ProcessIdentity[],
  { change, from, bounds, mayWrite }: Pick<Extract<Wish, { type: 'set' }>, 'change' | 'from' | 'bounds' | 'mayWrite'>,
  options: ProcessesOptions,
  signal: AbortSignal,
): Promise<SetOutcome> {
  using opened = new OpenedProcesses();
  for (const process of processes) {
    const refusal = opened.open(options.proc, process);
    if (refusal) return refusal;
  }
  const first = opened.list[0]?.inEffect;
  if (!first) return { type: 'refused', settings: null, reason: 'NoProcess', message: 'no Go process runs in it' };
  const missing = opened.list.filter(({ inEffect }) => !has(inEffect, change));
  if (missing.length > 0 && !mayWrite) {
    return refused(first, 'NotAuto', "the policy's mode is not Auto: what is set stays, nothing more is written");
  }
  for (const { process, inEffect } of opened.list) {
    // Where it came from is read here: the annotation may say anything.
    const own = (options.ledger.of(process)?.original ?? inEffect).gcPercent;
    if (change.gcPercent !== undefined && isTooFarOut(change.gcPercent, own, bounds))
      return refused(first, 'OutOfBounds', sayOutside(change.gcPercent, bounds));
  }
  for (const { process, inEffect } of missing) {
    if (!isExpected(process, inEffect, change, from, options))
      return refused(first, 'SetByOthers', whoElse(process, inEffect));
  }
  // Awaited, since what was opened is closed on return.
  return await write(opened.list, change, options, signal);
}

/** Each to what it had before; a process that has another value than ours by now keeps that. @returns what could not be, in a sentence */
export async function restoreAll(
  entries: readonly LedgerEntry[],
  { proc, ledger }: Pick<ProcessesOptions, 'proc' | 'ledger'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const problems: string[] = [];
  for (const entry of entries) {
    const problem = await restore(entry, proc, signal);
    if (problem === undefined) await ledger.forget(entry);
    else problems.push(problem);
  }
  return problems[0];
}

class OpenedProcesses {
  readonly list: Opened[] = [];

  open(proc: Proc, process: ProcessIdentity): Extract<SetOutcome, { type: 'refused' }> | undefined {
    const writer = writerOf(proc, process);
    if (isNoWriter(writer)) return refused(null, writer.code, writer.message);
    const inEffect = writer.read()?.settings;
    if (inEffect) this.list.push({ process, writer, inEffect });
    else writer[Symbol.dispose]();
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const { writer } of this.list) writer[Symbol.dispose]();
  }
}

async function write(
  list: readonly Opened[],
  change: Partial<GcSettings>,
  options: ProcessesOptions,
  signal: AbortSignal,
): Promise<SetOutcome> {
  const done: { readonly opened: Opened; readonly written: WrittenSettings }[] = [];
  try {
    for (const opened of list) {
      await note(opened, change, options);
      done.push({ opened, written: await opened.writer.write(change, opened.inEffect, { signal }) });
    }
  } catch (error) {
    if (!(error instanceof GcWriteError)) throw error;
    // All or none: those before it go back.
    for (const { opened, written } of done)
      await opened.writer.write(opened.inEffect, written.after, { signal }).catch(ignoreRefusal);
    return refused(list[0]?.inEffect ?? null, error.code, error.message);
  }
  const effects = await Promise.all(
    done.map(({ opened, written }) => awaitEffect(opened.writer, written, effectMs, signal)),
  );
  const settings = done[0]?.written.after;
  if (!settings || effects.includes('gone')) return refused(null, 'GONE', 'a process has ended meanwhile');
  if (effects.includes('notConfirmed'))
    return refused(
      settings,
      'NotConfirmed',
      'the cycle after did not go by it: its heap goal is another than the one computed',
    );
  return effects.includes('pending') ? { type: 'pending', settings } : { type: 'applied', settings };
}

/** Write-ahead. */
async function note(
  { process, inEffect }: Opened,
  change: Partial<GcSettings>,
  { ledger, containerId, onDelete }: ProcessesOptions,
): Promise<void> {
  const known = ledger.of(process);
  const wanted = { ...inEffect, ...change };
  const { pid, startTicks } = process;
  if (known?.onDelete === onDelete && known.ours.some((ours) => same(ours, wanted))) return;
  // What stands there may be what an earlier write of ours left.
  const ours = [...(known?.ours ?? []).filter((each) => same(each, inEffect)), wanted];
  await ledger.write({ pid, startTicks, containerId, original: known?.original ?? inEffect, ours, onDelete });
}

/**
 * Whether what stands there may be overwritten: it is ours, the program's own from the environment, or what was in effect where the change
 * was decided. Anything else somebody has set since.
 */
function isExpected(
  process: ProcessIdentity,
  inEffect: GcSettings,
  change: Partial<GcSettings>,
  from: Partial<GcSettings>,
  { proc, ledger }: ProcessesOptions,
): boolean {
  const known = ledger.of(process);
  const percents = [
    ...(known ? [known.original, ...known.ours].map(({ gcPercent }) => gcPercent) : []),
    gogcOfSetting(proc.goEnvironment(process.pid)?.GOGC ?? null),
    from.gcPercent,
  ];
  return change.gcPercent === undefined || percents.includes(inEffect.gcPercent);
}

function whoElse({ pid }: ProcessIdentity, { gcPercent }: GcSettings): string {
  return `process ${pid} has GOGC=${gcPercent}, which is neither ours, nor its environment's, nor what was in effect when the change was decided: the program sets it itself`;
}

async function restore(entry: LedgerEntry, proc: Proc, signal: AbortSignal): Promise<string | undefined> {
  if (!proc.isAlive(entry)) return undefined;
  const opened = writerOf(proc, entry);
  if (isNoWriter(opened)) return opened.code === 'GONE' ? undefined : opened.message;
  using writer = opened;
  const inEffect = writer.read()?.settings;
  if (!inEffect || same(inEffect, entry.original)) return undefined;
  // Somebody's own by now.
  if (!entry.ours.some((ours) => same(ours, inEffect))) return undefined;
  try {
    await writer.write(entry.original, inEffect, { signal, timeoutMs: restoreMs });
    return undefined;
  } catch (error) {
    if (error instanceof GcWriteError) return error.code === 'GONE' ? undefined : error.message;
    throw error;
  }
}

/** Whether a change would change nothing. */
export function has(settings: GcSettings, change: Partial<GcSettings>): boolean {
  return same(settings, { ...settings, ...change });
}

function same(one: GcSettings, other: GcSettings): boolean {
  return one.gcPercent === other.gcPercent && one.memoryLimitBytes === other.memoryLimitBytes;
}

function refused(
  settings: GcSettings | null,
  reason: string,
  message: string,
): Extract<SetOutcome, { type: 'refused' }> {
  return { type: 'refused', settings, reason, message };
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof GcWriteError)) throw error;
}
