/**
 * When acting is allowed: windows by the wall clock of a time zone. Pure; the zones are those of Intl, which is to say IANA's.
 *
 * A window is open whenever the wall clock shows a time in it. So where clocks go forward, one whose beginning does not exist that day opens
 * with the first time that does; where they go back, what is shown twice is open twice.
 */
import { type MaintenanceWindow, WEEKDAYS } from '../api/index.ts';

const DAYS: readonly string[] = WEEKDAYS;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** A window opens within a week; another day for a change of the clocks. */
const LOOK_AHEAD_MINUTES = 8 * DAY_MINUTES;

interface WallTime {
  /** Index in DAYS. */
  readonly day: number;
  /** Since midnight. */
  readonly minute: number;
}

/** In a time zone that is not known here nothing is ever open. */
export function isOpen(window: MaintenanceWindow, at: Date): boolean {
  const clock = clockOf(window.timeZone);
  return clock !== undefined && contains(window, wallTime(clock, at.getTime()));
}

/** The next moment, at `after` or later, at which one of the windows is open; to the minute. Undefined where none ever is. */
export function nextOpening(windows: readonly MaintenanceWindow[], after: Date): Date | undefined {
  const openings = windows.flatMap((window) => openingOf(window, after.getTime()) ?? []);
  return openings.length === 0 ? undefined : new Date(Math.min(...openings));
}

/** From beginning to beginning of the wall clock; minute by minute only where the clocks change in between. */
function openingOf(window: MaintenanceWindow, afterMs: number): number | undefined {
  const clock = clockOf(window.timeZone);
  if (!clock) return undefined;
  let atMs = afterMs;
  for (let looked = 0; looked < LOOK_AHEAD_MINUTES; ) {
    const wall = wallTime(clock, atMs);
    if (contains(window, wall)) return atMs;
    const minutes = untilBoundary(window, wall);
    // The first second of a minute from here on: nothing opens within one.
    const wholeMinuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const there = wallTime(clock, wholeMinuteMs + minutes * MINUTE_MS);
    const step = (ofWeek(there) - ofWeek(wall) - minutes) % WEEK_MINUTES === 0 ? minutes : 1;
    atMs = wholeMinuteMs + step * MINUTE_MS;
    looked += step;
  }
  return undefined;
}

/** Minutes of the wall clock until the window begins, or the day ends: always more than none. */
function untilBoundary({ from }: MaintenanceWindow, { minute }: WallTime): number {
  const begins = minutesOf(from);
  return begins > minute ? begins - minute : DAY_MINUTES - minute;
}

/** One that ends before it begins runs past midnight, and belongs to the day on which it began. */
function contains({ days, from, to }: MaintenanceWindow, { day, minute }: WallTime): boolean {
  const [begins, ends] = [minutesOf(from), minutesOf(to)];
  const beginsOn = (which: number) => days.some((name) => name === DAYS[(which + 7) % 7]);
  if (begins < ends) return minute >= begins && minute < ends && beginsOn(day);
  return (minute >= begins && beginsOn(day)) || (minute < ends && beginsOn(day - 1));
}

function ofWeek({ day, minute }: WallTime): number {
  return day * DAY_MINUTES + minute;
}

/** `02:00` → 120; `24:00` is the end of the day. */
function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

/** Making one takes a hundred times as long as using it. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const known = clocks.get(timeZone);
  if (known) return known;
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    clocks.set(timeZone, made);
    return made;
  } catch {
    return undefined;
  }
}

function wallTime(clock: Intl.DateTimeFormat, atMs: number): WallTime {
  const parts = new Map(clock.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return {
    day: DAYS.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
