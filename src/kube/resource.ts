import { KubeError } from './errors.ts';

/**
 * One kind of the API, and what this program wants to know of it. `parse` may project to the needed fields: what it drops costs no memory
 * in a store. It throws on what it does not understand.
 */
export interface Resource<T> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  parse(raw: unknown): T;
}

/** Which object: the namespace is left out, or empty, for what has none. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` for what has no namespace: the only thing a reconciler is handed. */
export type ObjectKey = string;

export function keyOf(ref: ObjectRef): ObjectKey {
  return ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
}

export function splitKey(key: ObjectKey): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function apiVersionOf(resource: Pick<Resource<unknown>, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** Path of the collection; without a namespace, of all namespaces. */
export function collectionPath(resource: Resource<unknown>, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const within = resource.namespaced && namespace ? `/namespaces/${segment(namespace)}` : '';
  return `${root}${within}/${resource.plural}`;
}

export function objectPath(resource: Resource<unknown>, ref: ObjectRef, subresource?: string): string {
  if (resource.namespaced && !ref.namespace) {
    throw new KubeError({
      code: 'BadRequest',
      call: `${resource.kind} ${ref.name}`,
      message: 'this kind lives in a namespace and none was given; name the namespace',
    });
  }
  const path = `${collectionPath(resource, ref.namespace)}/${segment(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** A name that could climb out of its place in the path must not reach the server. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new KubeError({
      code: 'BadRequest',
      call: 'path',
      message: `${JSON.stringify(name)} cannot be the name of an object`,
    });
  }
  return encodeURIComponent(name);
}
