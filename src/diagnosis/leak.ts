/** Live heap after GC grows and goes on growing, and no growing number of robots explains it. */

import { kendallTau, median, type Point, slopeOf, thin } from '../model/index.ts';
import type { CauseCheck, Evidence } from './evidence.ts';
import { mebibytes, together } from './words.ts';

/** Shorter growth is how every program starts. */
const MIN_SPAN_SECONDS = 120;
const MIN_POINTS = 20;
const MAX_POINTS = 120;
/** Growth over the whole span, relative to its begin. */
const MIN_GROWTH = 0.25;
const CONSISTENT = 0.8;
/** Growth of robots that explains as much growth of the heap. */
const EXPLAINED_BY_ROBOTS = 0.5;

export const leak: CauseCheck = ({ evidence }) => {
  const points = thin(liveHeapPoints(evidence), MAX_POINTS);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < MIN_POINTS) return undefined;
  const spanSeconds = last.atSeconds - first.atSeconds;
  if (spanSeconds < MIN_SPAN_SECONDS) return undefined;
  const slope = slopeOf(points);
  if (slope === null) return undefined;
  const startBytes = median(points.slice(0, 5).map((point) => point.value));
  const growth = startBytes > 0 ? (slope.perSecond * spanSeconds) / startBytes : 0;
  const half = points.slice(Math.floor(points.length / 2));
  const tau = kendallTau(points.map((point) => point.value));
  const lateTau = kendallTau(half.map((point) => point.value));
  const lateGrowth = ((slopeOf(half)?.perSecond ?? 0) * spanSeconds) / 2 / Math.max(1, startBytes);
  // A start-up or a ramp of load flattens in the second half; a leak does not.
  if (growth < MIN_GROWTH || tau < CONSISTENT || lateTau < CONSISTENT || lateGrowth < growth / 4) return undefined;
  const robots = robotGrowth(evidence);
  if (robots > growth * EXPLAINED_BY_ROBOTS) return undefined;
  return {
    cause: 'Leak',
    summary: `Live heap grows by ${mebibytes(slope.perSecond * 60)} a minute and does not level off.`,
    confidence: together([0.5, 0.6 * tau, 0.3 * Math.min(1, growth)]),
    evidence: [
      `live heap after GC from ${mebibytes(startBytes)} to ${mebibytes(last.value)} in ${Math.round(spanSeconds)} s`,
      `slope of the live heap, with 95 % confidence, ${mebibytes(slope.low * 60)} to ${mebibytes(slope.high * 60)} a minute`,
      `Kendall τ ${tau.toFixed(2)} over ${points.length} points, ${lateTau.toFixed(2)} in the second half`,
      `active robots changed by ${Math.round(robots * 100)} % in that time`,
    ],
    refutedBy: 'Live heap levels off at a load that stays the same.',
  };
};

/** One point per window in which a cycle ended: live heap is known at its end only. */
function liveHeapPoints({ windows }: Evidence): Point[] {
  return windows.flatMap((window) =>
    window.gc && window.gc.cycles > 0
      ? [{ atSeconds: Date.parse(window.endedAt) / 1000, value: window.gc.heapLiveBytes }]
      : [],
  );
}

function robotGrowth({ windows }: Evidence): number {
  const known = windows.flatMap((window) => (window.activeRobots === null ? [] : [window.activeRobots]));
  const start = median(known.slice(0, 5));
  return start > 0 ? (median(known.slice(-5)) - start) / start : 0;
}
