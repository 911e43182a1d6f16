import { Agent } from 'node:http';
import { request } from '../http/index.ts';
import { acceptedFormats, type ExpositionFormat, formatOf, sumMetric } from './exposition.ts';
import type { ActivityFailure, ActivityResult, ScrapeRequest } from './types.ts';

const maxBodyBytes = 4 * 1024 * 1024;

/** Kept for the next scrape, if that comes soon: a node's pods are many. */
const agent = new Agent({ keepAlive: true, timeout: 4_000 });

/**
 * Reads one metric's sum from a metrics endpoint, in OpenMetrics or the older text format. Never throws for what the other side does: the result says what happened.
 * Follows no redirect (a pod must not send the agent elsewhere) and reads at most 4 MiB.
 */
export async function scrapeActivity(scrape: ScrapeRequest): Promise<ActivityResult> {
  const timeout = AbortSignal.timeout(scrape.timeoutMs);
  const signal = scrape.signal === undefined ? timeout : AbortSignal.any([scrape.signal, timeout]);
  let page: Page | ActivityFailure;
  try {
    page = await fetchPage(scrape.url, signal);
  } catch (error) {
    if (scrape.signal?.aborted === true) return failed('aborted', `the scrape of ${scrape.url} was called off`);
    if (timeout.aborted) return failed('timeout', `${scrape.url} did not answer within ${scrape.timeoutMs} ms`);
    return failed('unreachable', `${scrape.url}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if ('kind' in page) return page;
  const { url, name, labels } = scrape;
  const sum = sumMetric(page.text, { name, labels, format: page.format });
  switch (sum.kind) {
    case 'ok':
      if (sum.value >= 0 && Number.isFinite(sum.value)) return { kind: 'ok', value: sum.value };
      return failed('not-a-count', `${url}: ${name}${labelText(labels)} is ${sum.value}, which counts nothing`);
    case 'missing':
      return failed('metric-missing', `${url} answered, but has no sample of ${name}${labelText(labels)}`);
    case 'truncated':
      return failed('truncated', `${url}: the answer does not end with # EOF, as OpenMetrics asks: a part is missing`);
    case 'too-many':
      return failed('too-large', `${url}: ${name} has more than ${sum.samples} samples: expose a sum`);
    case 'malformed':
      return failed('malformed', `${url}: cannot read the line ${JSON.stringify(sum.line)}`);
  }
}

function failed(code: ActivityFailure['code'], message: string): ActivityFailure {
  return { kind: 'failed', code, message };
}

interface Page {
  readonly text: string;
  readonly format: ExpositionFormat;
}

async function fetchPage(url: string, signal: AbortSignal): Promise<Page | ActivityFailure> {
  const { status, headers, body } = await request(url, {
    signal,
    agent,
    headers: { accept: acceptedFormats, 'user-agent': 'robotgc' },
  });
  if (status !== 200) {
    body.destroy();
    const isRedirect = status >= 300 && status < 400;
    if (isRedirect)
      return failed('redirect', `${url} answered ${status}: redirects are not followed; give the final address`);
    return failed('status', `${url} answered ${status}, not 200`);
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
  return { text: Buffer.concat(chunks).toString('utf8'), format: formatOf(headers['content-type']) };
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {});
  return entries.length === 0 ? '' : ` with ${entries.map(([key, value]) => `${key}="${value}"`).join(', ')}`;
}
