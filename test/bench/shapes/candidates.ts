/** Who runs under a shape at the same time, each in a pod of its own: the product's robot, those with simple controllers, and settings that never change. Pure. */
import type { RobotWorkload } from '../../effect/robots.ts';
import { goMemLimitOf, TUNER_THRESHOLD } from '../control/controllers.ts';
import type { RobotShape } from './loads.ts';

export interface Contender {
  /** Part of its Deployment's name. */
  readonly id: string;
  readonly title: string;
  /** `fixed`: a setting that never changes, which somebody could also have found by trying; `simple`: one that people choose without trying, or a controller. */
  readonly kinds: readonly ('product' | 'simple' | 'fixed')[];
  readonly env: (memoryLimitBytes: number) => Readonly<Record<string, string>>;
  readonly args: (shape: RobotShape) => readonly string[];
}

/** What each asks for, so that each gets as much of busy processors. */
export const ROBOT_CPU_MILLI = 50;

const alone: Contender['args'] = () => [];

function fixed(gogc: number, isLimited: boolean, isSimple: boolean): Contender {
  const setting = gogc < 0 ? 'off' : String(gogc);
  const env = (memoryLimitBytes: number): Record<string, string> => ({
    GOGC: setting,
    ...(isLimited ? { GOMEMLIMIT: String(goMemLimitOf(memoryLimitBytes)) } : {}),
  });
  return {
    id: `gogc-${setting}${isLimited ? '-limit' : ''}`,
    title: `GOGC=${setting}${isLimited ? ' GOMEMLIMIT=90%' : ''}`,
    kinds: isSimple ? ['simple', 'fixed'] : ['fixed'],
    env,
    args: alone,
  };
}

const plain: Contender['env'] = () => ({ GOGC: '100' });

function tuner(id: string, title: string, args: Contender['args']): Contender {
  return { id, title, kinds: ['simple'], env: plain, args };
}

const threshold = ({ memoryLimitBytes }: RobotShape): string =>
  `-tuner-threshold=${Math.round(TUNER_THRESHOLD * memoryLimitBytes)}`;

export const PRODUCT: Contender = { id: 'robotgc', title: 'robotgc', kinds: ['product'], env: plain, args: alone };
export const TWIN_OF: Contender = fixed(100, false, true);
/** Set as another one is: what the two differ by is chance. */
export const TWIN: Contender = { ...fixed(100, false, false), id: 'twin', title: 'GOGC=100 once more' };

export const CONTENDERS: readonly Contender[] = [
  PRODUCT,
  TWIN_OF,
  fixed(50, false, true),
  tuner('formula', 'bare formula', ({ baseline }) => ['-tuner=sessions', `-tuner-baseline=${baseline}`]),
  fixed(100, true, true),
  tuner('tuner', 'tuner', (shape) => ['-tuner=memory', threshold(shape)]),
  tuner('tuner-clamped', 'tuner 50–500', (shape) => ['-tuner=memory-clamped', threshold(shape)]),
  TWIN,
  fixed(25, false, false),
  fixed(200, false, false),
  fixed(400, false, false),
  fixed(-1, true, false),
];

export const isProduct = ({ kinds }: Contender): boolean => kinds.includes('product');

const IDLE = ['-sessions=0', '-messages-per-second=0', '-transitions-per-second=0'];

/** @param name of its Deployment, its policy and its label */
export function robotOf({ env, args }: Contender, shape: RobotShape, name: string): RobotWorkload {
  return {
    name,
    env: env(shape.memoryLimitBytes),
    memory: String(shape.memoryLimitBytes),
    cpu: `${ROBOT_CPU_MILLI}m`,
    // Nobody is connected at first; whoever makes the load sees to that.
    container: { args: [...IDLE, '-bus-cycle=100ms', '-batch=10ms', '-pprof=:6060', '-drain=1s', ...args(shape)] },
  };
}
