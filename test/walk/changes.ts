/** Every change of one leaf of a policy, as its schema allows it. What rules between fields refuse is told apart. Pure. */
import { checkPolicy } from '../../src/api/index.ts';
import type { Schema } from './schema.ts';
import { brokenOf, exampleOf, isLeaf, isMap, type Json, othersOf } from './values.ts';

type Path = readonly string[];

export interface Change {
  /** Which leaf, and what it becomes. */
  readonly what: string;
  readonly path: Path;
  /** As a whole. */
  readonly spec: Json;
}

export interface RefusedChange extends Change {
  /** What is said about it without an API server. */
  readonly why: readonly string[];
}

export interface Walk {
  readonly allowed: readonly Change[];
  readonly refused: readonly RefusedChange[];
  /** Leaves of which no other value was allowed. */
  readonly stuck: readonly string[];
}

/** So many allowed values of a leaf tell enough, but of those with a name each is a case of its own. */
const MOST_VALUES = 2;

export function walk(schema: Schema, spec: Json): Walk {
  const allowed: Change[] = [];
  const refused: RefusedChange[] = [];
  const stuck: string[] = [];
  for (const { path, leaf } of leavesOf(schema)) {
    const tries = candidates(schema, spec, path, leaf);
    const judged = tries.map((change) => ({ ...change, why: problemsOf(change.spec) }));
    refused.push(...judged.filter(({ why }) => why.length > 0));
    const fine = judged.filter(({ why }) => why.length === 0);
    allowed.push(...(leaf.enum || leaf.type === 'boolean' ? fine : fine.slice(0, MOST_VALUES)));
    if (fine.length > 0) continue;
    const besides = tries
      .flatMap((change) => alone(schema, change))
      .find((change) => problemsOf(change.spec).length === 0);
    if (besides) allowed.push(besides);
    else stuck.push(path.join('.'));
  }
  return { allowed, refused, stuck };
}

/** Each leaf with a value that its own schema refuses. */
export function broken(schema: Schema, spec: Json): Change[] {
  return leavesOf(schema).flatMap(({ path, leaf }) => {
    const value = brokenOf(leaf);
    return value === undefined ? [] : [changed(schema, spec, path, value)];
  });
}

interface Leaf {
  readonly path: Path;
  readonly leaf: Schema;
}

export function leavesOf(schema: Schema, path: Path = []): Leaf[] {
  if (isLeaf(schema)) return [{ path, leaf: schema }];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => leavesOf(field, [...path, name]));
}

function candidates(schema: Schema, spec: Json, path: Path, leaf: Schema): Change[] {
  const current = at(spec, path);
  const set = othersOf(leaf, current).map((value) => changed(schema, spec, path, value));
  // Left out, what has a default gets it, what must be given is missed, and what is optional is gone.
  return current === undefined
    ? set
    : [...set, { what: `${path.join('.')} left out`, path, spec: without(spec, path) }];
}

/** Of fields that exclude each other, the others left out. */
function alone(schema: Schema, { what, path, spec }: Change): Change[] {
  return path.flatMap((_, depth) => {
    const parent = path.slice(0, depth);
    const siblings = Object.keys(below(schema, parent)?.properties ?? {}).filter((name) => name !== path[depth]);
    const rest = siblings.reduce((left, name) => without(left, [...parent, name]), spec);
    return rest === spec ? [] : [{ what: `${what}, alone in ${parent.join('.')}`, path, spec: rest }];
  });
}

function changed(schema: Schema, spec: Json, path: Path, value: Json): Change {
  return { what: `${path.join('.')}: ${JSON.stringify(value)}`, path, spec: put(schema, spec, path, value) };
}

function problemsOf(spec: Json): string[] {
  const checked = checkPolicy({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name: 'walked' },
    spec,
  });
  return checked.ok ? [] : checked.problems.map(({ message }) => message);
}

function at(spec: Json | undefined, [name, ...rest]: Path): Json | undefined {
  if (name === undefined) return spec;
  return isMap(spec) ? at(spec[name], rest) : undefined;
}

function below(schema: Schema | undefined, [name, ...rest]: Path): Schema | undefined {
  return name === undefined ? schema : below(schema?.properties?.[name], rest);
}

/** What it stands in is made, where it is not there. */
function put(schema: Schema, spec: Json, [name, ...rest]: Path, value: Json): Json {
  const field = name === undefined ? undefined : schema.properties?.[name];
  if (name === undefined || !field || !isMap(spec)) return value;
  return { ...spec, [name]: put(field, spec[name] ?? exampleOf(field), rest, value) };
}

function without(spec: Json, [name, ...rest]: Path): Json {
  if (name === undefined || !isMap(spec) || !Object.hasOwn(spec, name)) return spec;
  const { [name]: field, ...others } = spec;
  return rest.length === 0 || field === undefined ? others : { ...others, [name]: without(field, rest) };
}
