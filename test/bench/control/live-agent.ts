/** The agent of the pod's node, as far as Live goes: sets what is desired, and says what became of it. */
import { type Wish, wishOf } from '../../../src/agent/live/wish.ts';
import type { LiveState } from '../../../src/api/index.ts';
import type { SignalWindow } from '../../../src/model/index.ts';
import type { Settings } from './container.ts';
import { CONTAINER, type ProductWorld } from './product-world.ts';

export class LiveAgent {
  readonly #world: ProductWorld;
  /** The program's own. */
  readonly #original: Settings;
  /** A cycle went by what was written last. */
  #isInEffect = true;

  constructor(world: ProductWorld, original: Settings) {
    this.#world = world;
    this.#original = original;
  }

  /** @returns what the program is to have */
  second({ gc }: SignalWindow, settings: Settings, nowMs: number): Settings {
    const wish = wishOf({
      annotations: this.#world.annotations,
      container: CONTAINER,
      policies: [this.#world.policy],
      limitBytes: settings.memoryLimitBytes,
      onDelete: undefined,
    });
    const change = wish.type === 'set' ? wish.change : {};
    const { gogc, goMemLimitBytes } = this.#original;
    const written = { gogc, goMemLimitBytes, ...named(change) };
    const isOther = settings.gogc !== written.gogc || settings.goMemLimitBytes !== written.goMemLimitBytes;
    if (isOther) this.#isInEffect = false;
    else if ((gc?.cycles ?? 0) > 0) this.#isInEffect = true;
    this.#world.tell(this.#stateOf(wish, written, new Date(nowMs).toISOString()));
    return { ...settings, ...written };
  }

  #stateOf(wish: Wish, { gogc, goMemLimitBytes }: Pick<Settings, 'gogc' | 'goMemLimitBytes'>, at: string): LiveState {
    if (wish.type === 'refuse') return { state: 'Refused', reason: wish.reason, message: wish.message, at };
    const memoryLimit = goMemLimitBytes === null ? {} : { memoryLimitBytes: goMemLimitBytes };
    const state = wish.type === 'set' ? 'Applied' : 'Reverted';
    return { state: this.#isInEffect ? state : 'Pending', gogc, ...memoryLimit, at };
  }
}

function named({ gcPercent, memoryLimitBytes }: Extract<Wish, { type: 'set' }>['change']): Partial<Settings> {
  return {
    ...(gcPercent === undefined ? {} : { gogc: gcPercent }),
    ...(memoryLimitBytes === undefined ? {} : { goMemLimitBytes: memoryLimitBytes }),
  };
}
