/**
 * Whatever a user changes of a policy, and changes back: the cluster returns to where it was. The changes are made by walking the schema of
 * the custom resource, under policies by which the operator has acted before, each by another way.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isKubeError, policies } from '../../src/kube/index.ts';
import { until } from '../support/until.ts';
import { broken, type Change, leavesOf, type Walk, walk } from './changes.ts';
import { Ground } from './ground.ts';
import { KINDS, type Kind, specOf } from './policies.ts';
import { NAME, type Robot } from './robot.ts';
import { policySpecSchema, type Schema } from './schema.ts';
import { Walker } from './walker.ts';

/**
 * Robots of a kind, among which its changes are dealt out. What is decided by a policy all the time is tried with every change, what was done once
 * with one in so many, each kind with other ones.
 */
const CROWD: Readonly<Record<Kind, { readonly robots: number; readonly oneIn: number }>> = {
  Tuned: { robots: 8, oneIn: 1 },
  Followed: { robots: 2, oneIn: 4 },
  Healed: { robots: 2, oneIn: 4 },
  RolledOut: { robots: 2, oneIn: 4 },
  Advised: { robots: 2, oneIn: 4 },
};

let schema: Schema;
let ground: Ground;
let crowd: readonly Walked[];

interface Walked {
  readonly kind: Kind;
  readonly nth: number;
  readonly robot: Robot;
  readonly walker: Walker;
}

beforeAll(async () => {
  schema = await policySpecSchema();
  ground = await Ground.start();
  await ground.operate({ observeOnly: false });
  const robots = KINDS.flatMap((kind) => Array.from({ length: CROWD[kind].robots }, (_, nth) => ({ kind, nth })));
  crowd = await Promise.all(
    robots.map(async ({ kind, nth }) => {
      const robot = await ground.robot(kind, `${kind.toLowerCase()}-${nth}`);
      return { kind, nth, robot, walker: await Walker.start(ground.sight, robot) };
    }),
  );
}, 300_000);
afterAll(() => ground?.stop(), 60_000);

function walkOf(kind: Kind): Walk {
  return walk(schema, specOf(kind, NAME));
}

/** What the API server says of it; empty: it would take it. */
async function refusal({ spec }: Change): Promise<string> {
  const body = { apiVersion: 'robotgc.dev/v1alpha1', kind: policies.kind, metadata: { name: 'walked' }, spec };
  const path = '/apis/robotgc.dev/v1alpha1/namespaces/robots/robotgcpolicies';
  try {
    await ground.api.direct.json({ method: 'POST', path, query: { dryRun: 'All', fieldValidation: 'Strict' }, body });
    return '';
  } catch (error) {
    if (isKubeError(error)) return error.message;
    throw error;
  }
}

describe('a change of a policy', () => {
  it('that a rule refuses is refused for the reason of that rule', async () => {
    const refused = KINDS.flatMap((kind) => walkOf(kind).refused);
    expect(refused.length).toBeGreaterThan(100);
    const said = await Promise.all(refused.map(async (change) => ({ ...change, said: await refusal(change) })));
    const others = said.filter(({ why, said: text }) => !why.some((reason) => isSaid(reason, text)));
    expect(others.map(({ what, why, said: text }) => ({ what, why, text }))).toEqual([]);
  });

  it('to what its schema does not know is refused where it stands', async () => {
    const said = await Promise.all(
      broken(schema, specOf('Tuned', NAME)).map(async ({ what, path, ...change }) => {
        const text = await refusal({ what, path, ...change });
        return text.includes(`spec.${path.join('.')}`) ? [] : [{ what, text }];
      }),
    );
    expect(said.flat()).toEqual([]);
  });

  it('and back leaves the cluster where it was', async () => {
    const left = await Promise.all(
      crowd.map(async ({ kind, nth, robot, walker }) => {
        const home = specOf(kind, NAME);
        const found: string[] = [];
        for (const { what, spec } of dealt(kind, nth)) {
          const lines = await walker.thereAndBack(
            () => robot.declare(spec),
            () => robot.declare(home),
          );
          found.push(...lines.map((line) => `${kind}, ${what}: ${line}`));
        }
        return found;
      }),
    );
    expect(left.flat()).toEqual([]);
    const reached = new Set(crowd.flatMap(({ kind, nth }) => dealt(kind, nth)).map(({ path }) => path.join('.')));
    expect([...reached].toSorted()).toEqual(
      leavesOf(schema)
        .map(({ path }) => path.join('.'))
        .toSorted(),
    );
  }, 480_000);
});

describe('a kill switch that is turned on and off again leaves the cluster where it was', () => {
  it('on the workload', async () => {
    const left = await Promise.all(
      crowd.map(({ robot, walker }) =>
        walker.thereAndBack(
          () => robot.pause(true),
          () => robot.pause(false),
        ),
      ),
    );
    expect(left.flat()).toEqual([]);
  }, 150_000);

  it('of the operator', async () => {
    await ground.operate({ observeOnly: true });
    const hasStopped = ({ robot }: Walked) =>
      ground.sight.policy(robot.namespace)?.status.conditions?.some(({ reason }) => reason === 'KillSwitch') === true;
    await until('every policy says so', () => crowd.every(hasStopped), 30_000, 50);
    await ground.operate({ observeOnly: false });
    const left = await Promise.all(crowd.map(({ walker }) => walker.home()));
    expect(left.flat()).toEqual([]);
  }, 200_000);
});

/** Those of the kind that its n-th robot is to walk. Incidents that are retained no longer are gone for good. */
function dealt(kind: Kind, nth: number): readonly Change[] {
  const { robots, oneIn } = CROWD[kind];
  const hasIncidents = kind !== 'Tuned' && kind !== 'Followed';
  const ofKind = walkOf(kind)
    .allowed.filter((_, index) => index % oneIn === KINDS.indexOf(kind) % oneIn)
    .filter(({ path }) => !(hasIncidents && path.join('.') === 'capture.retain.age'));
  return ofKind.filter((_, index) => index % robots === nth);
}

/** Of the schema's own reasons the API server has other words. */
function isSaid(reason: string, text: string): boolean {
  return text.includes(reason) || /^(missing|write (at most|at least|one of|a whole|text|a number))/.test(reason);
}
