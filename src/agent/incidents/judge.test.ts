import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RobotGCIncident } from '../../api/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import { watchlist } from '../containers/watchlist.ts';
import { WindowBuilder } from '../sampler/window-builder.ts';
import { pauseEvent, quietSecond } from '../testing/events.ts';
import { containerIdOf, incident, pod, policy } from '../testing/objects.ts';
import { detectionOf, isAbandoned } from './abandoned.ts';
import { incidentOf } from './incident.ts';
import { Judge } from './judge.ts';

const t0 = Date.UTC(2026, 0, 1);
const one = watchlist([policy('dispatch')], [pod('dispatch-0')]).selected.get(containerIdOf('a'));
if (!one) throw new Error('the policy selects the pod');
const selected = one;

/** Seconds with one pause of so many ms each. */
function seconds(...pausesMs: number[]): SignalWindow[] {
  const builder = new WindowBuilder(selected.target);
  return pausesMs.map((ms, second) =>
    builder.close(
      quietSecond({
        startNs: second * 1e9,
        endNs: (second + 1) * 1e9,
        endedAtMs: t0 + second * 1000,
        pauses: [pauseEvent({ totalNs: ms * 1e6 })],
      }),
    ),
  );
}

const at = (second: number): Date => new Date(t0 + second * 1000 + 100);

describe('Judge', () => {
  test('three of five seconds over the promise are a breach; two are none', () => {
    const judge = new Judge({ node: 'node-1', incidentsOf: () => [] });
    expect(judge.detect(selected, seconds(1, 50, 1, 50), at(3))).toEqual([]);
    const [detection] = judge.detect(selected, seconds(1, 50, 1, 50, 40), at(4));
    expect(detection?.breach).toMatchObject({
      signal: 'gcStallP99',
      observed: 50e6,
      threshold: 30e6,
      breachingWindows: 3,
      ofWindows: 5,
    });
    expect(detection?.breach.firstBreachAt).toBe(new Date(t0 + 1000).toISOString());
  });

  test('property: where a window does not concern it, there is nothing to detect', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(1, 1, 1, 29, 31, 50), { maxLength: 30 }), (pausesMs) => {
        const judge = new Judge({ node: 'node-1', incidentsOf: () => [] });
        const windows = seconds(...pausesMs);
        windows.forEach((window, second) => {
          const concerns = judge.concerns(selected, window);
          const found = judge.detect(selected, windows.slice(0, second + 1), at(second));
          if (!concerns) expect(found).toEqual([]);
        });
      }),
    );
  });

  test('quiet windows do not concern it, but for the first after a container was selected, and the last after one over a limit', () => {
    const judge = new Judge({ node: 'node-1', incidentsOf: () => [] });
    const concerned = seconds(...[1, 1, 1, 1, 1, 1, 50, 1, 1, 1, 1, 1, 1]).map((window) =>
      judge.concerns(selected, window),
    );
    expect(concerned).toEqual([
      ...[true, true, true, true, true, false],
      ...[true, true, true, true, true, false, false],
    ]);
  });

  test('a policy that says something else, or a container that is watched anew, is looked at; a policy with another status is not', () => {
    const judge = new Judge({ node: 'node-1', incidentsOf: () => [] });
    const windows = seconds(...Array.from({ length: 8 }, () => 1));
    const ofGeneration = (generation: number) => ({
      policies: selected.policies.map((each) => ({ ...each, metadata: { ...each.metadata, generation } })),
    });
    const concerned = windows.map((window) => judge.concerns(ofGeneration(window.seq < 7 ? 1 : 2), window));
    expect(concerned).toEqual([true, true, true, true, true, false, false, true]);
    const [first] = seconds(1);
    expect(first && judge.concerns(ofGeneration(2), first)).toBe(true);
  });

  test('while its evidence is collected, and until the cache knows it, a breach is not opened twice', () => {
    let known: RobotGCIncident[] = [];
    const judge = new Judge({ node: 'node-1', incidentsOf: () => known });
    const windows = seconds(50, 50, 50);
    const [detection] = judge.detect(selected, windows, at(2));
    if (!detection) throw new Error('a breach was due');
    const over = judge.begin(detection, () => at(3).getTime());
    expect(judge.detect(selected, windows, at(2))).toEqual([]);
    over();
    expect(judge.detect(selected, windows, at(2))).toEqual([]);
    known = [incident('one')];
    expect(judge.detect(selected, windows, at(2))).toEqual([]);
    known = [];
    expect(judge.detect(selected, windows, at(2))).toHaveLength(1);
  });

  test('an incident that is over before anybody looks holds others for its cool-down, not for as long as one that never came', () => {
    const cooling = policy('dispatch', { actions: { cooldown: '5s' } });
    const own = watchlist([cooling], [pod('dispatch-0')]).selected.get(containerIdOf('a'));
    if (!own) throw new Error('the policy selects the pod');
    const earlier = incident('earlier', {
      spec: { trigger: { ...incident('any').spec.trigger, detectedAt: '2025-12-31T00:00:00Z' } },
      status: { phase: 'Escalated', times: { finishedAt: '2025-12-31T00:01:00Z' } },
    });
    let known: RobotGCIncident[] = [earlier];
    const judge = new Judge({ node: 'node-1', incidentsOf: () => known });
    const windows = seconds(...Array.from({ length: 20 }, () => 50));
    const [detection] = judge.detect(own, windows, at(19));
    if (!detection) throw new Error('a breach was due');
    judge.begin(detection, () => at(19).getTime())();
    expect(judge.detect(own, windows, at(19))).toEqual([]);
    const trigger = { ...incident('any').spec.trigger, detectedAt: detection.detectedAt.toISOString() };
    const status = { phase: 'Escalated', times: { finishedAt: at(13).toISOString() } };
    known = [earlier, incident('quick', { spec: { trigger }, status })];
    expect(judge.detect(own, windows, at(19))).toHaveLength(1);
  });

  test('an incident that the cache never brings does not hold others for ever', () => {
    const judge = new Judge({ node: 'node-1', incidentsOf: () => [] });
    const [detection] = judge.detect(selected, seconds(50, 50, 50), at(2));
    if (!detection) throw new Error('a breach was due');
    judge.begin(detection, () => t0)();
    const later = seconds(...Array.from({ length: 40 }, () => 50));
    expect(judge.detect(selected, later, at(39))).toHaveLength(1);
  });
});

describe('incidents that an earlier agent left', () => {
  const started = new Date('2026-01-01T00:01:00Z');
  const now = new Date('2026-01-01T00:01:10Z');

  test.each([
    { why: 'one of this node without evidence', one: incident('one'), is: true },
    {
      why: 'one whose capture had begun',
      one: incident('one', { status: { phase: 'Detected', capture: { startedAt: '2026-01-01T00:00:03Z' } } }),
      is: true,
    },
    {
      why: 'one with evidence',
      one: incident('one', {
        status: { capture: { startedAt: '2026-01-01T00:00:03Z', endedAt: '2026-01-01T00:00:13Z' } },
      }),
      is: false,
    },
    { why: 'one that is over', one: incident('one', { status: { phase: 'Escalated' } }), is: false },
    { why: 'one of another node', one: incident('one', { spec: { node: 'node-2' } }), is: false },
  ])('$why: $is', ({ one: left, is }) => {
    expect(isAbandoned(left, 'node-1', started, now)).toBe(is);
  });

  test('evidence that would come too late is not collected', () => {
    expect(isAbandoned(incident('one'), 'node-1', started, new Date('2026-01-01T00:03:00Z'))).toBe(false);
  });

  test('answering it again finds the same object', () => {
    const detection = {
      policy: selected.policies[0] ?? policy('dispatch'),
      pod: selected.pod,
      container: 'robot',
      containerId: containerIdOf('a'),
      node: 'node-1',
      breach: {
        type: 'breach',
        signal: 'gcStallP99',
        observed: 1,
        threshold: 1,
        unit: 'ns',
        breachingWindows: 3,
        ofWindows: 5,
        firstBreachAt: '2026-01-01T00:00:00Z',
      },
      detectedAt: now,
    } as const;
    const body = incidentOf(detection);
    const made = incident(body.metadata.name, { spec: body.spec });
    expect(incidentOf(detectionOf(made, detection.policy, selected.pod))).toEqual(body);
  });
});
