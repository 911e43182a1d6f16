import { request } from 'undici';
import { sumMetric } from './exposition.ts';
import type { ActivityResult, ScrapeRequest } from './types.ts';

const maxBodyBytes = 4 * 1024 * 1024;

/**
 * Reads one metric's sum from a metrics endpoint. Never throws for what the other side does: the result says what happened.
 * Follows no redirect (a pod must not send the agent elsewhere) and reads at most 4 MiB.
 */
export async function scrapeActivity(scrape: ScrapeRequest): Promise<ActivityResult> {
  const timeout = AbortSignal.timeout(scrape.timeoutMs);
  const signal = scrape.signal === undefined ? timeout : AbortSignal.any([scrape.signal, timeout]);
  let text: string | Failed;
  try {
    text = await fetchText(scrape.url, signal);
  } catch (error) {
    if (scrape.signal?.aborted === true) return failed('aborted', `the scrape of ${scrape.url} was called off`);
    if (timeout.aborted) return failed('timeout', `${scrape.url} did not answer within ${scrape.timeoutMs} ms`);
    return failed('unreachable', `${scrape.url}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof text !== 'string') return text;
  const sum = sumMetric(text, scrape.name, scrape.labels);
  if (sum.kind === 'ok') return sum;
  if (sum.kind === 'malformed')
    return failed('malformed', `${scrape.url}: cannot read the line ${JSON.stringify(sum.line)}`);
  return failed(
    'metric-missing',
    `${scrape.url} answered, but has no sample of ${scrape.name}${labelText(scrape.labels)}`,
  );
}

type Failed = Extract<ActivityResult, { kind: 'failed' }>;

function failed(code: Failed['code'], message: string): Failed {
  return { kind: 'failed', code, message };
}

async function fetchText(url: string, signal: AbortSignal): Promise<string | Failed> {
  const { statusCode, body } = await request(url, {
    signal,
    headers: {
      accept: 'text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5',
      'user-agent': 'robotgc',
    },
  });
  if (statusCode !== 200) {
    body.on('error', () => undefined).destroy();
    const isRedirect = statusCode >= 300 && statusCode < 400;
    if (isRedirect)
      return failed('redirect', `${url} answered ${statusCode}: redirects are not followed; give the final address`);
    return failed('status', `${url} answered ${statusCode}, not 200`);
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    total += chunk.length;
    // Leaving the loop destroys the body and with it the connection.
    if (total > maxBodyBytes) return failed('too-large', `${url} answers with more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {});
  return entries.length === 0 ? '' : ` with ${entries.map(([key, value]) => `${key}="${value}"`).join(', ')}`;
}
