/**
 * Containers of one image, as overlayfs shows it: the same file under a device number of each container's own, one inode behind all of
 * them, unless a container has changed its copy.
 */
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxAttachments } from '../../src/host/probe/protocol.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { until } from '../support/until.ts';
import { descriptorsOf, kernelObjectsOf } from './kernel-objects.ts';
import { OverlayMounts } from './overlay-mounts.ts';
import { SamplerRig } from './sampler-rig.ts';

const missing = missingGround();
/** More than there can be attachments. */
const many = maxAttachments + 50;

describe.skipIf(missing !== '')(`containers on overlayfs${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
  });
  afterAll(removeTemporaryFolders);

  const start = (mounts: OverlayMounts, i: number): Churn => {
    const [command = '', ...args] = mounts.program(i);
    return new Churn(command, {}, [...args, '-lists', '1']);
  };
  /** Its name, as long as it is not the one that enters the container. */
  const runs = ({ pid }: Churn): boolean => statSync(`/proc/${pid}/exe`).size === statSync(binary).size;
  const objectsOf = (pid: number): object => {
    const { link, prog } = kernelObjectsOf(pid);
    return { links: link.length, programs: prog.length };
  };

  it(`${many} of one image are one attachment, and each has its own pauses`, async () => {
    await using mounts = await OverlayMounts.make(temporaryFolder('overlay'), binary, many);
    const churns: Churn[] = [];
    try {
      await using rig = new SamplerRig();
      for (let i = 0; i < many; i++) churns.push(start(mounts, i));
      const [first, ...others] = churns;
      if (!first) throw new Error('there are many');
      await until('all run', () => churns.every(runs), 60_000, 50);
      expect(new Set(churns.map(({ pid }) => statSync(`/proc/${pid}/exe`).dev)).size).toBe(many);
      rig.watch('c0', first.pid);
      await rig.untilState('c0', 'Watching');
      const probe = rig.probe.processId;
      const one = objectsOf(probe);
      const descriptors = descriptorsOf(probe);
      for (const [i, { pid }] of others.entries()) rig.populations.set(`c${i + 1}`, [pid]);
      rig.follow();
      const keys = [...rig.populations.keys()];
      await until('all are watched', () => keys.every((key) => rig.state(key)?.state === 'Watching'), 60_000, 50);
      // One link each group of points: each hit runs one program, once.
      expect(objectsOf(probe)).toEqual(one);
      // Of each further process only its end is waited for: one descriptor.
      expect(descriptorsOf(probe) - descriptors).toBeLessThanOrEqual(many);
      for (const key of keys) expect(rig.missing(key)).toEqual([]);
      await rig.nextTicks();
      rig.pauses.clear();
      const collecting = [3, 77, many - 1];
      for (const i of collecting) await churns[i]?.ask('gc');
      await rig.nextTicks(2);
      const counts = [...rig.pauses].map(([key, pauses]) => [key, pauses.length]);
      expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(collecting.map((i) => [`c${i}`, 2])));
      for (const [i, { pid }] of churns.entries()) expect(rig.newest(`c${i}`)?.pids).toEqual([pid]);

      // The first, through whose root it was attached, may go: the others are seen as before.
      first.kill();
      rig.forget('c0');
      await first.exited;
      await rig.nextTicks(2);
      rig.pauses.clear();
      await churns[77]?.ask('gc');
      await rig.nextTicks(2);
      expect(rig.pauses.get('c77')).toHaveLength(2);
    } finally {
      for (const churn of churns) churn.kill();
      await Promise.all(churns.map(({ exited }) => exited));
    }
  });

  it('a copy that a container has made looks the same, down to inode, size and time, and is attached by itself', async () => {
    await using mounts = await OverlayMounts.make(temporaryFolder('overlay'), binary, 2);
    // The last byte belongs to no code.
    mounts.run(1, 'printf x >> "$HERE/robot"; truncate -s -1 "$HERE/robot"; touch -r "$IMAGE/robot" "$HERE/robot"');
    const [original, copy] = [0, 1].map((i) => statSync(mounts.path(`c${i}/robot`)));
    expect([copy?.ino, copy?.size, copy?.mtimeMs]).toEqual([original?.ino, original?.size, original?.mtimeMs]);
    await using rig = new SamplerRig();
    await using first = start(mounts, 0);
    await using second = start(mounts, 1);
    await until('both run', () => runs(first) && runs(second));
    rig.watch('original', first.pid);
    await rig.untilState('original', 'Watching');
    const { link } = kernelObjectsOf(rig.probe.processId);
    rig.watch('copy', second.pid);
    await rig.untilState('copy', 'Watching');
    expect(kernelObjectsOf(rig.probe.processId).link.length).toBeGreaterThan(link.length);
    await rig.nextTicks();
    rig.pauses.clear();
    await first.ask('gc');
    await second.ask('gc');
    await rig.nextTicks(2);
    expect(rig.pauses.get('original')).toHaveLength(2);
    expect(rig.pauses.get('copy')).toHaveLength(2);
  });

  it('a program whose file is copied while it runs is read without the probe, and that is said', async () => {
    await using mounts = await OverlayMounts.make(temporaryFolder('overlay'), binary, 1);
    await using churn = start(mounts, 0);
    await until('it runs', () => runs(churn));
    mounts.run(0, 'chmod 750 "$HERE/robot"');
    await using rig = new SamplerRig();
    rig.watch('copied', churn.pid);
    await rig.untilState('copied', 'Watching');
    expect(rig.missing('copied')).toEqual(['OTHER_FILE']);
    await churn.ask('gc');
    await rig.nextTicks(2);
    expect(rig.newest('copied')?.gc).not.toBeNull();
    expect(churn.alive).toBe(true);
  });
});
