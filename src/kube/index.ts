/**
 * The Kubernetes layer: one transport, reflectors with stores, keyed queues, leader election, server-side apply, events, and the manager
 * that runs them. May import `api` and the pure rooms' types, no other room. What it promises is in SPEC.md.
 */
export type { BackoffPolicy } from './backoff.ts';
export { backoffMs } from './backoff.ts';
export type { CallOptions } from './call-options.ts';
export type {
  ApplyOptions,
  ObjectBody,
  RemoveOptions,
  WriteOptions,
} from './client.ts';
export {
  apply,
  create,
  find,
  get,
  getRaw,
  list,
  patchMerge,
  patchStrategic,
  remove,
  replace,
} from './client.ts';
export type { Clock } from './clock.ts';
export { DeadlineExceeded, deadline, pause, systemClock } from './clock.ts';
export type { ElectorRun, LeaderElectorOptions } from './elector.ts';
export { LeaderElector, LeadershipLost } from './elector.ts';
export type { FieldConflict, KubeErrorCode, KubeErrorDetail } from './errors.ts';
export { isAnswer, isKubeError, KubeError } from './errors.ts';
export type { EventTarget } from './event-body.ts';
export type { EventRecorderOptions } from './events.ts';
export { EventRecorder } from './events.ts';
export { evict } from './evict.ts';
export type { Health } from './health-server.ts';
export { serveHealth, serveHttp } from './health-server.ts';
export * from './kinds/index.ts';
export { type Lease, leases } from './lease.ts';
export type { Log } from './log.ts';
export { silentLog } from './log.ts';
export type { Cache, Controller, ManagerOptions, Service } from './manager.ts';
export { Manager } from './manager.ts';
export { microTime } from './micro-time.ts';
export type { ListOf, ListOptions } from './paged-list.ts';
export { listEach } from './paged-list.ts';
export type { Handler, HandlerResult, KeyedQueueOptions, QueueMetrics, RunOptions } from './queue.ts';
export { KeyedQueue } from './queue.ts';
export type { ReflectorOptions, ReflectorStatus } from './reflector.ts';
export { Reflector } from './reflector.ts';
export type { ObjectKey, ObjectRef, Resource } from './resource.ts';
export { apiVersionOf, collectionPath, keyOf, objectPath, splitKey } from './resource.ts';
export type { Change, Indexers, Listener, Store } from './store.ts';
export type {
  CallMetric,
  JsonRequest,
  Method,
  Query,
  StreamOptions,
  Transport,
  TransportOptions,
} from './transport.ts';
export { createTransport } from './transport.ts';
