import { z } from 'zod';

/**
 * Why a call failed, stable across server versions. The first group are the API server's own reasons; the second is ours:
 * `Unreachable` no answer (refused, reset, name, TLS), `Timeout` no answer in time, `BadResponse` an answer that is not Kubernetes,
 * `BadConfig` credentials or address that cannot work.
 */
export const KUBE_ERROR_CODES = [
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'MethodNotAllowed',
  'NotAcceptable',
  'UnsupportedMediaType',
  'AlreadyExists',
  'Conflict',
  'Gone',
  'Invalid',
  'TooLarge',
  'TooManyRequests',
  'DisruptionBudget',
  'InternalError',
  'ServiceUnavailable',
  'ServerTimeout',
  'Unreachable',
  'Timeout',
  'BadResponse',
  'BadConfig',
] as const;

export type KubeErrorCode = (typeof KUBE_ERROR_CODES)[number];

/** One field that server-side apply could not take, and who holds it. */
export interface FieldConflict {
  readonly manager: string;
  /** As the API server writes it, for example `.spec.template.spec.containers[name="robot"].env[name="GOGC"].value`. */
  readonly field: string;
}

export interface KubeErrorDetail {
  readonly code: KubeErrorCode;
  /** What was asked, for example `PATCH /apis/apps/v1/namespaces/robots/deployments/dispatch`. */
  readonly call: string;
  /** What the server, or the network, said. */
  readonly message: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly conflicts?: readonly FieldConflict[];
  readonly cause?: unknown;
}

/** Every failure of a call to the API server. An abort is not one: it rejects with the signal's own reason. */
export class KubeError extends Error {
  readonly code: KubeErrorCode;
  readonly call: string;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** Only for `Conflict` of a server-side apply; empty otherwise. */
  readonly conflicts: readonly FieldConflict[];

  constructor(detail: KubeErrorDetail) {
    super(
      `${detail.call}: ${detail.code}: ${detail.message}`,
      detail.cause === undefined ? {} : { cause: detail.cause },
    );
    this.name = 'KubeError';
    this.code = detail.code;
    this.call = detail.call;
    this.status = detail.status ?? 0;
    this.retryAfterMs = detail.retryAfterMs;
    this.conflicts = detail.conflicts ?? [];
  }
}

export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * What the server has refused for good: the same request would be refused again. Anything else is worth another try, and so is a conflict over
 * a version, after another look.
 */
export function isAnswer(error: unknown): error is KubeError {
  return isKubeError(error, 'Forbidden', 'Invalid', 'NotFound', 'BadRequest');
}

const statusCauseSchema = z.object({
  reason: z.string().nullish(),
  message: z.string().nullish(),
  field: z.string().nullish(),
});
type StatusCause = z.infer<typeof statusCauseSchema>;

/** The API server's `Status`, as far as it is read here. */
const statusSchema = z.object({
  kind: z.literal('Status'),
  message: z.string().nullish(),
  reason: z.string().nullish(),
  code: z.number().nullish(),
  details: z
    .object({
      retryAfterSeconds: z.number().nullish(),
      causes: z.array(statusCauseSchema).nullish(),
    })
    .nullish(),
});

const reasonToCode = new Map<string, KubeErrorCode>([
  ...KUBE_ERROR_CODES.map((code): [string, KubeErrorCode] => [code, code]),
  ['Expired', 'Gone'],
  ['RequestEntityTooLarge', 'TooLarge'],
  // The server's own word for "the client should retry": not our Timeout, which means no answer at all.
  ['Timeout', 'ServerTimeout'],
]);

const httpToCode = new Map<number, KubeErrorCode>([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [406, 'NotAcceptable'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'TooLarge'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [502, 'ServiceUnavailable'],
  [503, 'ServiceUnavailable'],
  [504, 'ServerTimeout'],
]);

/**
 * The error that an answer outside 2xx, or a `Status` inside a watch, stands for.
 * @param body parsed JSON, or the raw text where it was none (proxies answer in HTML)
 */
export function errorFromStatus(call: string, httpStatus: number, body: unknown, retryAfterHeader?: string): KubeError {
  const parsed = statusSchema.safeParse(body);
  const status = parsed.success ? parsed.data : undefined;
  const http = status?.code ?? httpStatus;
  const causes = status?.details?.causes ?? [];
  const code = codeOf(status?.reason, http, causes);
  const seconds =
    retryAfterHeader !== undefined ? Number(retryAfterHeader) : (status?.details?.retryAfterSeconds ?? undefined);
  return new KubeError({
    code,
    call,
    status: http,
    message:
      status?.message || (typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 300) : `HTTP ${http}`),
    conflicts: fieldConflicts(causes),
    ...(seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

/** An eviction that a PodDisruptionBudget refuses is answered with 429, as a busy server answers; only the cause tells them apart. */
function codeOf(reason: string | null | undefined, http: number, causes: readonly StatusCause[]): KubeErrorCode {
  if (causes.some((cause) => cause.reason === 'DisruptionBudget')) return 'DisruptionBudget';
  return reasonToCode.get(reason ?? '') ?? httpToCode.get(http) ?? 'BadResponse';
}

// The API server writes: conflict with "kubectl-client-side-apply" using apps/v1 at 2026-01-01T00:00:00Z
const conflictMessage = /^conflict with "((?:[^"\\]|\\.)*)"/;

function fieldConflicts(causes: readonly StatusCause[]): FieldConflict[] {
  return causes
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map((cause) => ({
      manager: conflictMessage.exec(cause.message ?? '')?.[1] ?? 'unknown',
      field: cause.field ?? 'unknown',
    }));
}
