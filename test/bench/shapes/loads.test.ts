import { describe, expect, it } from 'vitest';
import { ROBOT_SHAPES, ROBOTS, type RobotShape, soFar } from './loads.ts';

const SECONDS = 150;

function shape(name: string): RobotShape {
  const found = ROBOT_SHAPES.find((each) => each.name === name);
  if (!found) throw new Error(`no shape ${name}`);
  return found;
}

function sessions(name: string): number[] {
  return Array.from({ length: SECONDS }, (_, second) => shape(name).load(second, SECONDS).sessions);
}

describe('the load of a shape', () => {
  it.each(ROBOT_SHAPES)(
    '$name begins at what it is made for, and is what a robot takes: whole and not negative',
    (each) => {
      const loads = Array.from({ length: SECONDS }, (_, second) => each.load(second, SECONDS));
      for (const value of loads.flatMap((load) => Object.values(load))) expect(value).toSatisfy(Number.isSafeInteger);
      expect(Math.min(...loads.flatMap((load) => Object.values(load)))).toBeGreaterThanOrEqual(0);
      expect(each.baseline).toBeGreaterThanOrEqual(ROBOTS / 2);
    },
  );

  it('follows the day from night to noon', () => {
    const wave = sessions('daily wave');
    expect([Math.min(...wave), Math.max(...wave), wave.indexOf(Math.max(...wave))]).toEqual([500, 2000, SECONDS / 2]);
  });

  it('surges to four times the robots, in no single jump, and comes back', () => {
    const surge = sessions('surge ×4');
    expect([surge[0], Math.max(...surge), surge.at(-1)]).toEqual([ROBOTS / 2, 2 * ROBOTS, ROBOTS / 2]);
    const jumps = surge.slice(1).map((now, index) => Math.abs(now - (surge[index] ?? 0)));
    expect(Math.max(...jumps)).toBeLessThan(ROBOTS / 8);
  });

  it('loses nine of ten connections in a storm, which come back within twenty seconds', () => {
    const storm = sessions('connection storm');
    expect(storm.slice(29, 31)).toEqual([ROBOTS, ROBOTS / 10]);
    expect(storm[50]).toBe(ROBOTS);
  });

  it('comes back one robot after the other to a program that began anew, with all that is made beside', () => {
    const load = shape('slow leak').load(1, SECONDS);
    expect([0, 9, 19, 500].map((up) => soFar(load, up).sessions)).toEqual([63, 625, ROBOTS, ROBOTS]);
    expect(soFar(load, 0).leakBytesPerSecond).toBe(load.leakBytesPerSecond);
  });

  it('has a neighbour for a third of the time, and only where it is the shape', () => {
    const isThere = Array.from({ length: SECONDS }, (_, s) => shape('neighbour pressure').hasNeighbour?.(s, SECONDS));
    expect(isThere.filter(Boolean)).toHaveLength(SECONDS / 3);
    expect(ROBOT_SHAPES.filter(({ hasNeighbour }) => hasNeighbour)).toHaveLength(1);
  });
});
