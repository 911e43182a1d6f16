import type { Query } from './transport.ts';

/** `deployments/status` for /apis/apps/v1/namespaces/x/deployments/y/status: few values, as a metric's label needs. */
export function resourceLabel(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const afterVersion = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : [];
  const inNamespace =
    afterVersion[0] === 'namespaces' && afterVersion.length > 2 ? afterVersion.slice(2) : afterVersion;
  const [plural, , subresource] = inNamespace;
  if (plural === undefined) return parts[0] ?? '';
  return subresource === undefined ? plural : `${plural}/${subresource}`;
}

export function withQuery(path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}
