/** Who owns an object's fields, without the fields: the lists themselves cost 2 to 4 KB an object. */
import { z } from 'zod';
import { REMEDY_FIELD_MANAGER } from '../../api/index.ts';
import { orEmpty, text } from './meta.ts';

const entry = z.object({ manager: text, operation: text, subresource: text, fieldsV1: z.unknown().optional() });

/**
 * `managers`: names of those that wrote the object itself, not its status or scale. `remedyFields`: what our own field manager applied
 * (fieldsV1), undefined when it applied nothing: server-side apply gives up what is not named again, so that is named again.
 */
export const fieldOwners = z.object({ managedFields: orEmpty(entry) }).transform(({ managedFields }) => {
  const direct = managedFields.filter(({ subresource }) => subresource === '');
  const ours = direct.find(({ manager, operation }) => manager === REMEDY_FIELD_MANAGER && operation === 'Apply');
  return { managers: [...new Set(direct.map(({ manager }) => manager))], remedyFields: ours?.fieldsV1 };
});
