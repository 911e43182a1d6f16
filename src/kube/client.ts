import { type CallOptions, callOptions } from './call-options.ts';
import { isKubeError, KubeError } from './errors.ts';
import { type ListOptions, listEach } from './paged-list.ts';
import { apiVersionOf, collectionPath, type ObjectRef, objectPath, type Resource } from './resource.ts';
import type { Query, Transport } from './transport.ts';

/** An object as it is sent: no need for what the server fills in. */
export interface ObjectBody {
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string | undefined;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly subresource?: string;
  /** The server checks and answers as if, and keeps nothing. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take fields from their managers; without it such a field is a `Conflict` that names them. */
  readonly force?: boolean;
}

/** Server-side apply: the object's fields become ours, those we named before and left out now are given up. */
export function apply<T>(
  transport: Transport,
  resource: Resource<T>,
  object: ObjectBody,
  options: ApplyOptions,
): Promise<T> {
  const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
  return sendPatch(transport, resource, namedRef(resource, object), 'application/apply-patch+yaml', body, options, {
    force: options.force === true ? true : undefined,
  });
}

/** JSON merge patch (RFC 7386): lists are replaced whole. Custom resources know this and JSON patch only. */
export function patchMerge<T>(
  transport: Transport,
  resource: Resource<T>,
  ref: ObjectRef,
  patch: object,
  options: WriteOptions = {},
): Promise<T> {
  return sendPatch(transport, resource, ref, 'application/merge-patch+json', patch, options);
}

/** Strategic merge patch: lists such as containers are merged by name. For built-in kinds only, for example `pods/resize`. */
export function patchStrategic<T>(
  transport: Transport,
  resource: Resource<T>,
  ref: ObjectRef,
  patch: object,
  options: WriteOptions = {},
): Promise<T> {
  return sendPatch(transport, resource, ref, 'application/strategic-merge-patch+json', patch, options);
}

async function sendPatch<T>(
  transport: Transport,
  resource: Resource<T>,
  ref: ObjectRef,
  contentType: string,
  body: object,
  options: WriteOptions,
  query: Query = {},
): Promise<T> {
  const raw = await transport.json({
    method: 'PATCH',
    path: objectPath(resource, ref, options.subresource),
    query: { ...query, ...writeQuery(options) },
    body,
    contentType,
    ...callOptions(options),
  });
  return resource.parse(raw);
}

export async function create<T>(
  transport: Transport,
  resource: Resource<T>,
  object: ObjectBody,
  options: WriteOptions = {},
): Promise<T> {
  const raw = await transport.json({
    method: 'POST',
    path: collectionPath(resource, object.metadata.namespace),
    query: writeQuery(options),
    body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
    ...callOptions(options),
  });
  return resource.parse(raw);
}

/** Replaces the object; with `metadata.resourceVersion` in it, only if nobody has changed it since (`Conflict` otherwise). */
export async function replace<T>(
  transport: Transport,
  resource: Resource<T>,
  object: ObjectBody,
  options: WriteOptions = {},
): Promise<T> {
  const raw = await transport.json({
    method: 'PUT',
    path: objectPath(resource, namedRef(resource, object), options.subresource),
    query: writeQuery(options),
    body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
    ...callOptions(options),
  });
  return resource.parse(raw);
}

/** Rejects with `NotFound` when there is none; `find` answers undefined instead. */
export async function get<T>(
  transport: Transport,
  resource: Resource<T>,
  ref: ObjectRef,
  options: CallOptions = {},
): Promise<T> {
  return resource.parse(await getRaw(transport, resource, ref, options));
}

/** The object as the server sends it, with everything a projection would drop (managedFields, for one). */
export function getRaw(
  transport: Transport,
  resource: Resource<unknown>,
  ref: ObjectRef,
  options: CallOptions = {},
): Promise<unknown> {
  return transport.json({ method: 'GET', path: objectPath(resource, ref), ...callOptions(options) });
}

export async function find<T>(
  transport: Transport,
  resource: Resource<T>,
  ref: ObjectRef,
  options: CallOptions = {},
): Promise<T | undefined> {
  try {
    return await get(transport, resource, ref, options);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

export interface RemoveOptions extends CallOptions {
  /** Only this very object, not one that was created under its name since. */
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** True when it was there; an object that is gone already is no error. */
export async function remove(
  transport: Transport,
  resource: Resource<unknown>,
  ref: ObjectRef,
  options: RemoveOptions = {},
): Promise<boolean> {
  try {
    await transport.json({
      method: 'DELETE',
      path: objectPath(resource, ref),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
        ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
        propagationPolicy: options.propagationPolicy ?? 'Background',
      },
      ...callOptions(options),
    });
    return true;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return false;
    throw error;
  }
}

/** Every parsed object; one that cannot be parsed rejects the call (a `Reflector` keeps it out instead). */
export async function list<T>(transport: Transport, resource: Resource<T>, options: ListOptions = {}): Promise<T[]> {
  const { items } = await listEach(transport, resource, options, (raw) => resource.parse(raw));
  return items;
}

function writeQuery(options: WriteOptions): Query {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun === true ? 'All' : undefined };
}

function namedRef(resource: Resource<unknown>, object: ObjectBody): ObjectRef {
  const { name, namespace } = object.metadata;
  if (name === undefined || name === '') {
    throw new KubeError({ code: 'BadRequest', call: resource.kind, message: 'the object has no metadata.name' });
  }
  return { name, namespace };
}
