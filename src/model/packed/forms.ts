/** One form for all objects that have it: a node's containers are watched alike, and a form of its own for each would be 30 KB a container. Pure. */
import { type Form, formOf, type Leaf, takeLeaves } from './leaves.ts';

/** Oldest first. An object of a form that was let go gets a new one: it costs memory, no more. */
const known: Form[] = [];
const maxKnown = 64;

/** The object's form; its leaves are in `out` afterwards, as `takeLeaves` puts them there. */
export function sharedForm(value: object, out: Leaf[]): Form {
  const like = known.findLast((form) => takeLeaves(form, value, out, 0) !== -1);
  if (like) return like;
  const form = formOf(value);
  takeLeaves(form, value, out, 0);
  known.push(form);
  if (known.length > maxKnown) known.shift();
  return form;
}
