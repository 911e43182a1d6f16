import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaintenanceWindow, WEEKDAYS } from '../api/index.ts';
import { isOpen, nextOpening } from './maintenance.ts';

const window = (over: object) => MaintenanceWindow.parse({ from: '02:00', to: '05:00', ...over });
const berlin = window({ days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], timeZone: 'Europe/Berlin' });
const opensAt = (windows: Parameters<typeof nextOpening>[0], after: string) =>
  nextOpening(windows, new Date(after))?.toISOString();

describe('a maintenance window', () => {
  it.each([
    // Summer in Berlin is UTC+2; 27 July 2026 is a Monday.
    ['2026-07-26T23:59:59Z', false],
    ['2026-07-27T00:00:00Z', true],
    ['2026-07-27T02:59:59Z', true],
    ['2026-07-27T03:00:00Z', false],
    // Winter is UTC+1.
    ['2026-01-05T00:59:00Z', false],
    ['2026-01-05T01:00:00Z', true],
    // A Sunday.
    ['2026-07-26T01:00:00Z', false],
  ])('is open by the clock on the wall: %s → %s', (at, open) => {
    expect(isOpen(berlin, new Date(at))).toBe(open);
  });

  it('runs past midnight, and belongs to the day on which it began', () => {
    const friday = window({ days: ['Fri'], from: '22:00', to: '04:00' });
    expect(isOpen(friday, new Date('2026-07-31T22:00:00Z'))).toBe(true);
    expect(isOpen(friday, new Date('2026-08-01T03:59:00Z'))).toBe(true);
    expect(isOpen(friday, new Date('2026-07-31T03:00:00Z'))).toBe(false);
    expect(isOpen(friday, new Date('2026-08-01T22:00:00Z'))).toBe(false);
  });

  it('is open all day from 00:00 to 24:00', () => {
    const sunday = window({ days: ['Sun'], from: '00:00', to: '24:00' });
    expect(isOpen(sunday, new Date('2026-07-26T23:59:59Z'))).toBe(true);
    expect(isOpen(sunday, new Date('2026-07-27T00:00:00Z'))).toBe(false);
  });

  it('never opens in a time zone that is not known', () => {
    const nowhere = { ...berlin, timeZone: 'Europe/Atlantis' };
    expect(isOpen(nowhere, new Date('2026-07-27T00:00:00Z'))).toBe(false);
    expect(nextOpening([nowhere], new Date('2026-07-27T00:00:00Z'))).toBeUndefined();
  });
});

describe('the next opening', () => {
  it.each([
    ['at once while one is open', '2026-07-27T01:23:45.678Z', '2026-07-27T01:23:45.678Z'],
    ['tonight', '2026-07-27T12:34:56Z', '2026-07-28T00:00:00.000Z'],
    ['after the weekend', '2026-07-31T03:00:00Z', '2026-08-03T00:00:00.000Z'],
  ])('is %s', (_, after, opening) => {
    expect(opensAt([berlin], after)).toBe(opening);
  });

  it('is that of the first of several', () => {
    expect(opensAt([berlin, window({ from: '20:00', to: '21:00' })], '2026-07-27T12:00:00Z')).toBe(
      '2026-07-27T20:00:00.000Z',
    );
  });

  it('is where the clocks go forward over the beginning: the first time that exists', () => {
    const night = window({ from: '02:30', to: '05:00', timeZone: 'Europe/Berlin' });
    expect(opensAt([night], '2026-03-28T22:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('is where the clocks go back: an hour later by UTC, and what is shown twice is open twice', () => {
    const night = window({ from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' });
    expect(opensAt([night], '2026-10-24T22:30:00Z')).toBe('2026-10-25T00:00:00.000Z');
    expect(isOpen(night, new Date('2026-10-25T00:30:00Z'))).toBe(true);
    expect(isOpen(night, new Date('2026-10-25T01:30:00Z'))).toBe(true);
    expect(isOpen(night, new Date('2026-10-25T02:00:00Z'))).toBe(false);
  });
});

describe('held against Intl, minute by minute', () => {
  const minuteOfDay = fc.integer({ min: 0, max: 1439 });
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  // Zones with changes of an hour and of half an hour, with odd offsets, at midnight, south of the equator, none at all.
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Cairo',
    'America/Santiago',
    'Pacific/Chatham',
    'America/St_Johns',
  ];
  const anyWindow = fc
    .record({
      days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
      begins: minuteOfDay,
      ends: fc.integer({ min: 0, max: 1440 }),
      timeZone: fc.constantFrom(...zones),
    })
    .filter(({ begins, ends }) => begins !== ends)
    .map(({ days, begins, ends, timeZone }) =>
      MaintenanceWindow.parse({ days, from: clock(begins), to: clock(ends), timeZone }),
    );
  const span = { min: new Date('2025-01-01T00:00:00Z'), max: new Date('2028-01-01T00:00:00Z'), noInvalidDate: true };

  /** What people would read off a clock there: another way through Intl, and the window's words taken literally. */
  function openByTheClock({ days, from, to, timeZone }: MaintenanceWindow, at: Date): boolean {
    const read = (date: Date) => date.toLocaleString('sv-SE', { timeZone });
    const [day, time] = read(at).split(' ');
    if (day === undefined || time === undefined) throw new Error('no time');
    const now = time.slice(0, 5);
    const nameOf = (shift: number) => WEEKDAYS[(new Date(`${day}T12:00:00Z`).getUTCDay() + 6 + shift + 7) % 7] ?? 'Mon';
    const [today, yesterday] = [days.includes(nameOf(0)), days.includes(nameOf(-1))];
    if (from < to) return today && now >= from && now < to;
    return (today && now >= from) || (yesterday && now < to);
  }

  it('is open when a clock in that zone shows a time in it', () => {
    fc.assert(
      fc.property(anyWindow, fc.date(span), (any, at) => {
        expect(isOpen(any, at)).toBe(openByTheClock(any, at));
      }),
      { numRuns: 5000 },
    );
  });

  it('opens next at the first minute at which it is open, none before', () => {
    // Around the changes of the clocks as often as anywhere else.
    const changes = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2026-04-24'];
    const near = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -36 * 60, max: 36 * 60 }))
      .map(([day, minutes]) => new Date(Date.parse(`${day}T00:00:00Z`) + minutes * 60_000));
    fc.assert(
      fc.property(anyWindow, fc.oneof(near, fc.date(span)), (any, after) => {
        const opening = nextOpening([any], after);
        if (!opening) throw new Error('every window opens within eight days');
        expect(isOpen(any, opening)).toBe(true);
        const firstMs = Math.ceil(after.getTime() / 60_000) * 60_000;
        // The minutes right before, and a hundred more on the way.
        const minutes = Math.floor((opening.getTime() - firstMs) / 60_000);
        const stride = Math.max(1, Math.floor(minutes / 100));
        for (let minute = 0; minute < minutes; minute += minute > minutes - 130 ? 1 : stride) {
          expect(isOpen(any, new Date(firstMs + minute * 60_000))).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
