/** Values that a schema allows, and some that it does not. Pure. */
import { formOf, type Schema } from './schema.ts';

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** Of every form that a text of a policy may have; the schema says which of them fit. */
const TEXTS = ['20ms', '45s', '7m', '3d', '12%', '60%', '96Mi', '3Gi', '03:00', '23:30', 'Europe/Berlin', 'Asia/Tokyo'];
const NAMES = ['other_name', 'another', '/other', '/another'];

function textsOf(schema: Schema): readonly string[] {
  const form = formOf(schema);
  return form ? [...TEXTS, ...NAMES].filter((text) => form.pattern.test(text)) : NAMES.slice(0, 2);
}

/** @param nth another one, so that two fields side by side are not the same */
export function exampleOf(schema: Schema, nth = 0): Json {
  switch (schema.type) {
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'string': {
      const texts = schema.enum ?? textsOf(schema);
      return texts[nth % texts.length] ?? '';
    }
    case 'array':
      return schema.items ? [exampleOf(schema.items)] : [];
    default: {
      const { properties, additionalProperties } = schema;
      if (additionalProperties) return { other: exampleOf(additionalProperties) };
      return Object.fromEntries(
        Object.entries(properties ?? {}).map(([name, field], index) => [name, exampleOf(field, index)]),
      );
    }
  }
}

/** Whether changes are made to the thing as a whole: lists and maps are. */
export function isLeaf({ type, properties }: Schema): boolean {
  return type !== 'object' || properties === undefined;
}

/** Other values of a leaf that its own schema allows; rules between fields may not. */
export function othersOf(schema: Schema, current: Json | undefined): Json[] {
  const values = new Map(allOf(schema, current).map((value) => [JSON.stringify(value), value]));
  values.delete(JSON.stringify(current));
  return [...values.values()];
}

function allOf(schema: Schema, current: Json | undefined): Json[] {
  const { type, minimum, maximum } = schema;
  if (type === 'boolean') return [true, false];
  if (type === 'string') return [...(schema.enum ?? textsOf(schema))];
  if (type === 'integer' || type === 'number') {
    const [least, most] = [minimum ?? 0, maximum ?? 1000];
    const around = typeof current === 'number' ? [5 * current, Math.floor(current / 2), current + 1] : [];
    return [...around, least, most].filter((value) => value >= least && value <= most);
  }
  const one = exampleOf(schema);
  if (isList(current)) return [...listsFrom(current), ...(isList(one) ? [[...current, ...one]] : [])];
  return [one, ...(isMap(current) && isMap(one) ? [{ ...current, ...one }] : [])];
}

/** Each with one less, and the other way around. */
function listsFrom(list: readonly Json[]): Json[] {
  return list.length < 2 ? [] : [list.slice(1), list.slice(0, -1), list.toReversed()];
}

/** A value that the leaf's own schema refuses; undefined where it takes anything of its type. */
export function brokenOf(schema: Schema): Json | undefined {
  const { type, minimum, maximum } = schema;
  if (type === 'boolean') return 'yes';
  if (type === 'integer' || type === 'number') {
    if (maximum !== undefined) return maximum + 1;
    return minimum === undefined ? 'many' : minimum - 1;
  }
  if (type === 'string') return schema.enum || formOf(schema) ? '?' : 1;
  return 'none';
}

export function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
