/** What a bundle is, in words. Pure. */
import type { Manifest, Verification } from '../../bundle/index.ts';
import { size } from '../watch/format.ts';

const signatures: Readonly<Record<Verification['signature'], string>> = {
  none: 'not signed',
  unchecked: 'signed, signature not checked: give --key',
  valid: 'signature valid',
  invalid: 'signature invalid',
};

export function verdictLine(file: string, { ok, problems, signature }: Verification): string {
  if (ok) return `${file}: ok, ${signatures[signature]}`;
  return [
    `${file}: bad, ${signatures[signature]}`,
    ...problems.map(({ code, path, message }) => `  ${code}${path ? ` ${path}` : ''}: ${message}`),
  ].join('\n');
}

export function bundleSummary(manifest: Manifest): string[] {
  const { incident, node, createdAt, tools, seal, files } = manifest;
  const width = Math.max(0, ...files.map(({ path }) => path.length));
  return [
    `incident ${incident.namespace}/${incident.name} on ${node}, captured ${createdAt}`,
    `made by ${Object.entries(tools)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    seal ? `sealed ${seal.at} by ${seal.by}` : 'not sealed',
    ...files.map(({ path, sizeBytes, source }) => `  ${path.padEnd(width)}  ${size(sizeBytes).padStart(9)}  ${source}`),
  ];
}
