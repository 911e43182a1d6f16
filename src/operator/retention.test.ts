import { expect, it } from 'vitest';
import type { Phase, RobotGCIncident } from '../api/index.ts';
import { incidentWith, iso, T0 } from './incidents/testing.ts';
import { expired } from './retention.ts';

function incident(name: string, createdMs: number, phase: Phase = 'Resolved'): RobotGCIncident {
  const made = incidentWith({ phase });
  return { ...made, metadata: { ...made.metadata, name, creationTimestamp: iso(createdMs) } };
}

const names = (incidents: readonly RobotGCIncident[]) => incidents.map(({ metadata }) => metadata.name);

it('keeps the newest finished incidents, as many as the policy says', () => {
  const all = [incident('old', 0), incident('newest', 2000), incident('middle', 1000)];
  expect(names(expired(all, { count: 2, age: '30d' }, T0 + 3000))).toEqual(['old']);
});

it('removes what is older than the policy says, however few there are', () => {
  const all = [incident('old', 0), incident('new', 50_000)];
  expect(names(expired(all, { count: 50, age: '30s' }, T0 + 60_000))).toEqual(['old']);
});

it('never removes what is still under way', () => {
  const all = [incident('acting', 0, 'Acting'), incident('verifying', 1, 'Verifying')];
  expect(expired(all, { count: 1, age: '1s' }, T0 + 60_000)).toEqual([]);
});
