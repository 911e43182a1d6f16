import { z } from 'zod';
import { type CallOptions, callOptions } from './call-options.ts';
import { isKubeError, KubeError } from './errors.ts';
import { collectionPath, type Resource } from './resource.ts';
import type { Transport } from './transport.ts';

export interface ListOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly pageSize?: number;
}

const pageSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().nullish(), continue: z.string().nullish() }),
  items: z.array(z.unknown()).nullish(),
});

export interface ListOf<U> {
  readonly items: U[];
  readonly resourceVersion: string;
  readonly pages: number;
}

/** Every item, projected page by page, of one consistent moment: a continue token that expired midway starts the list over, the last time in one page. */
export async function listEach<U>(
  transport: Transport,
  resource: Resource<unknown>,
  options: ListOptions,
  project: (raw: unknown) => U,
): Promise<ListOf<U>> {
  const pageSize = options.pageSize ?? 500;
  for (const limit of [pageSize, pageSize]) {
    try {
      return await listPages(transport, resource, options, limit, project);
    } catch (error) {
      if (!isKubeError(error, 'Gone')) throw error;
    }
  }
  return await listPages(transport, resource, options, undefined, project);
}

async function listPages<U>(
  transport: Transport,
  resource: Resource<unknown>,
  options: ListOptions,
  limit: number | undefined,
  project: (raw: unknown) => U,
): Promise<ListOf<U>> {
  const path = collectionPath(resource, options.namespace);
  const items: U[] = [];
  let next: string | undefined;
  for (let pages = 1; ; pages++) {
    const raw = await transport.json({
      method: 'GET',
      path,
      query: { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector, limit, continue: next },
      ...callOptions(options),
    });
    const page = pageSchema.safeParse(raw);
    if (!page.success || !page.data.metadata.resourceVersion) {
      throw new KubeError({
        code: 'BadResponse',
        call: `GET ${path}`,
        message: 'the answer is not a list',
        status: 200,
      });
    }
    for (const item of page.data.items ?? []) items.push(project(item));
    next = page.data.metadata.continue || undefined;
    if (next === undefined) return { items, resourceVersion: page.data.metadata.resourceVersion, pages };
  }
}
