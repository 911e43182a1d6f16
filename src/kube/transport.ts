import type { Duplex } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from './clock.ts';
import { HttpTransport } from './http-transport.ts';
import type { Log } from './log.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Values that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface JsonRequest {
  readonly method: Method;
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON, whatever `contentType` says: JSON is YAML, so server-side apply takes it too. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** From sending to the last byte, default 30 s; retries have it anew. */
  readonly timeoutMs?: number;
}

export interface StreamOptions {
  /** Until the answer's head, default 15 s. After that a stream may be silent for as long as it likes. */
  readonly openTimeoutMs?: number;
  /** Called once when the server has answered 200. */
  readonly onOpen?: () => void;
  /** A connection of its own (the default), or one of the shared ones. */
  readonly connection?: 'own' | 'shared';
}

/** What a finished call cost; `code` is the HTTP status, or the `KubeErrorCode` where there was none. */
export interface CallMetric {
  readonly verb: string;
  /** For example `pods`, `deployments/status`. */
  readonly resource: string;
  readonly code: string;
  readonly seconds: number;
}

/** The only way to the API server: shared connections, fresh credentials, one kind of error. */
export interface Transport {
  /** Base address of the API server. */
  readonly server: string;
  /** Namespace of the kubeconfig's context, or of the pod this runs in; `default` when neither says. */
  readonly defaultNamespace: string;
  /** Parsed JSON of the answer. Rejects with `KubeError`, or with the signal's reason. */
  json(request: JsonRequest): Promise<unknown>;
  /** Lines of the answer as they come. The unfinished last line of a cut stream is not delivered; the cut is an error. */
  stream(path: string, query: Query, signal: AbortSignal, options?: StreamOptions): AsyncIterable<string>;
  /** Bytes to and from a port on the pod's localhost; needs `get` (the upgrade is a GET) and `create` on `pods/portforward`. Aborting destroys the duplex. */
  portForward(namespace: string, pod: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Ends idle connections and cuts those in use. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Exactly one of these three says where and as whom. */
  readonly kubeConfig?: KubeConfig;
  readonly kubeconfigPath?: string;
  readonly inCluster?: boolean;
  readonly userAgent: string;
  readonly log?: Log;
  readonly onCall?: (metric: CallMetric) => void;
  readonly clock?: Clock;
}

export function createTransport(options: TransportOptions): Transport {
  return new HttpTransport(options);
}
