/** For tests: the courses that an incident can take, and the undisturbed life of each, against which others are held. */
import type { Course, Life, Lives } from './testing-lives.ts';
import { byRollout, inPlace } from './testing-worlds.ts';

export const courses = {
  heals: { world: byRollout, share: 0.02 },
  'is-worse': { world: byRollout, share: 0.25 },
  room: { world: inPlace, share: 0.25 },
} satisfies Record<string, Course>;
export type CourseName = keyof typeof courses;
export const names: readonly CourseName[] = ['heals', 'is-worse', 'room'];

export class Oracles {
  readonly #lives: Lives;
  readonly #undisturbed = new Map<CourseName, Promise<Life>>();

  constructor(lives: Lives) {
    this.#lives = lives;
  }

  /** Lived once, whoever asks first. */
  of(course: CourseName): Promise<Life> {
    const known = this.#undisturbed.get(course) ?? this.#lives.live(`${course}-undisturbed`, courses[course]);
    this.#undisturbed.set(course, known);
    return known;
  }
}
