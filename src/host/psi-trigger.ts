/**
 * Triggers of pressure stall information (Documentation/accounting/psi.rst, kernel/sched/psi.c): which the kernel grants, and which to ask for.
 * Pure: a trigger is written to an open `memory.pressure`, whose descriptor is then polled for POLLPRI, which Node cannot do.
 */

export interface PsiTrigger {
  readonly line: 'some' | 'full';
  /** Stalled time within the window at which to tell. */
  readonly stallUs: number;
  readonly windowUs: number;
}

/** `wakes`: stall has been seen, look closer. `tells`: the limit itself is broken, no reading is needed. */
export type TriggerRole = 'tells' | 'wakes';

const minWindowUs = 500_000;
const maxWindowUs = 10_000_000;
/** The kernel works out its averages every 2 s, and looks at triggers of those without CAP_SYS_RESOURCE at the same moments. */
const averagingPeriodUs = 2_000_000;
/** With the capability it looks so often in a window, hence at most 100 ms late with a window of 1 s. */
export const looksPerWindow = 10;

/** What is written to the file. */
export function triggerText({ line, stallUs, windowUs }: PsiTrigger): string {
  return `${line} ${stallUs} ${windowUs}`;
}

/**
 * Why the kernel would answer EINVAL, or null when it grants the trigger. (EBUSY: the descriptor has one already.)
 * @param capable CAP_SYS_RESOURCE in the initial user namespace
 */
export function refusal({ stallUs, windowUs }: PsiTrigger, capable: boolean): string | null {
  if (windowUs < minWindowUs || windowUs > maxWindowUs) return 'the window is not from 0.5 to 10 s';
  if (stallUs <= 0) return 'the stall is nothing';
  if (stallUs > windowUs) return 'the stall is longer than the window';
  if (!capable && windowUs % averagingPeriodUs !== 0)
    return 'without CAP_SYS_RESOURCE the window must be a multiple of 2 s';
  return null;
}

/**
 * The trigger for a limit on the share of one second. Without the capability none can tell within 250 ms: it is looked at every 2 s (0.05 to
 * 1.9 s late, measured), so the least stall is asked for, and reading goes on from there.
 */
export function triggerFor(
  line: PsiTrigger['line'],
  limit: number,
  capable: boolean,
): { readonly trigger: PsiTrigger; readonly role: TriggerRole } {
  if (!capable) return { trigger: { line, stallUs: 1, windowUs: averagingPeriodUs }, role: 'wakes' };
  const windowUs = 1_000_000;
  const stallUs = Math.min(windowUs, Math.max(1, Math.round(limit * windowUs)));
  return { trigger: { line, stallUs, windowUs }, role: 'tells' };
}
