/** One form for all objects that have it: a node's containers are watched alike, and a form of its own for each would be 30 KB a container. Pure. */
import { type Form, formOf, hasForm } from './leaves.ts';

/** Oldest first. An object of a form that was let go gets a new one: it costs memory, no more. */
const known: Form[] = [];
const maxKnown = 64;

export function sharedForm(value: object): Form {
  const like = known.findLast((form) => hasForm(form, value));
  if (like) return like;
  const form = formOf(value);
  known.push(form);
  if (known.length > maxKnown) known.shift();
  return form;
}
