import { describe, expect, test } from 'vitest';
import { errorFromStatus, isKubeError } from './errors.ts';

const status = (code: number, reason: string, rest: object = {}): object => ({
  kind: 'Status',
  code,
  reason,
  message: 'said so',
  ...rest,
});

describe('what an answer means (T2)', () => {
  test.each([
    ['the reason in the body', 409, status(409, 'AlreadyExists'), 'AlreadyExists'],
    ['a conflict', 409, status(409, 'Conflict'), 'Conflict'],
    ['both words for a version that is gone', 410, status(410, 'Expired'), 'Gone'],
    ['both words for a version that is gone', 410, status(410, 'Gone'), 'Gone'],
    ["the server's own time-out", 504, status(504, 'Timeout'), 'ServerTimeout'],
    ['an unknown reason, by its number', 422, status(422, 'SomethingNew'), 'Invalid'],
    ['no reason at all', 404, status(404, ''), 'NotFound'],
    ['a proxy that answers in HTML', 502, '<html>bad gateway</html>', 'ServiceUnavailable'],
    ['a number nobody knows', 418, 'teapot', 'BadResponse'],
    ['an error inside a watch, without HTTP status', 0, status(410, 'Expired'), 'Gone'],
    ['nothing that can be understood', 200, null, 'BadResponse'],
  ])('%s', (_what, http, body, code) => {
    const error = errorFromStatus('GET /x', http, body);
    expect(error.code).toBe(code);
    expect(error.message).toContain('GET /x');
    expect(isKubeError(error)).toBe(true);
  });

  test('how long to wait, from the header or the body', () => {
    expect(errorFromStatus('GET /x', 429, status(429, 'TooManyRequests'), '3').retryAfterMs).toBe(3_000);
    expect(
      errorFromStatus('GET /x', 429, status(429, 'TooManyRequests', { details: { retryAfterSeconds: 2 } }))
        .retryAfterMs,
    ).toBe(2_000);
    expect(
      errorFromStatus('GET /x', 429, status(429, 'TooManyRequests'), 'Wed, 21 Oct 2015 07:28:00 GMT').retryAfterMs,
    ).toBeUndefined();
  });

  test('a conflict of server-side apply names managers and fields (T5)', () => {
    const causes = [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-client-side-apply" using apps/v1 at 2026-01-01T00:00:00Z',
        field: '.spec.replicas',
      },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "helm" with subresource "scale" using apps/v1',
        field: '.spec.paused',
      },
      { reason: 'FieldValueInvalid', message: 'something else', field: 'spec.x' },
      { reason: 'FieldManagerConflict', message: 'in words never seen' },
    ];
    expect(errorFromStatus('PATCH /x', 409, status(409, 'Conflict', { details: { causes } })).conflicts).toEqual([
      { manager: 'kubectl-client-side-apply', field: '.spec.replicas' },
      { manager: 'helm', field: '.spec.paused' },
      { manager: 'unknown', field: 'unknown' },
    ]);
  });
});
