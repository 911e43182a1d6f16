/**
 * Stories: what takes half a minute each, or more, and little of the processors. They are told all at the same time, beside the other suites, and
 * their tests look at how it went.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { buildGoImage } from '../cluster/images.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { namespaceOf, workloadName } from '../effect/heal.ts';
import type { Robot } from '../effect/robots.ts';
import { writeCooperating } from '../support/cooperating.ts';
import { measured } from '../support/measured.ts';
import { FLEET_NAMESPACE } from './small-robots.ts';

export interface Story<T> {
  readonly robot: Robot;
  tell(cluster: Cluster): Promise<T>;
}

export type Begun<T> = () => Promise<T>;

export async function prepareStories(cluster: Cluster): Promise<void> {
  await Promise.all([
    cluster.kubectl(['create', 'namespace', FLEET_NAMESPACE]),
    buildFollower().then((image) => cluster.importImage(image)),
  ]);
}

/** @returns how it went; asked for once more, it is told anew, for a test that is tried again */
export function begin<T>(cluster: Cluster, { robot, tell }: Story<T>): Begun<T> {
  const begun = [tell(cluster)];
  // Who asks hears of a failure.
  begun[0]?.catch(() => undefined);
  return async () => {
    const first = begun.pop();
    if (first) return first;
    await cluster.kubectl(['delete', `rgp/${robot.name}`, workloadName(robot), namespaceOf(robot), ...wholly]);
    return tell(cluster);
  };
}

/** For the tests of a story. */
export function told<T>(begun: () => Begun<T>): () => T {
  let story: T | undefined;
  measured(async () => {
    story = await begun()();
  });
  return () => {
    if (story === undefined) throw new Error('a story is asked for in a test');
    return story;
  };
}

const wholly = ['--ignore-not-found', '--cascade=foreground', '--timeout=60s'];

async function buildFollower() {
  const dir = await mkdtemp(join(tmpdir(), 'robotgc-follower-'));
  try {
    await writeCooperating(dir, await readFile(join(repositoryDir, 'test/e2e/follower/main.go'), 'utf8'));
    return await buildGoImage({ dir, pkg: '.', name: 'follower' });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
