/** The change as a manifest that people can apply themselves. */
import { stringify } from 'yaml';
import { REMEDY_FIELD_MANAGER } from '../api/index.ts';
import type { RolloutWay } from './ways.ts';

/** A server-side-apply manifest that owns nothing but the one variable. */
export function manifestFor({ owner, namespace, container }: RolloutWay, gogc: string): string {
  const manifest = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    metadata: { name: owner.name, namespace },
    spec: { template: { spec: { containers: [{ name: container, env: [{ name: 'GOGC', value: gogc }] }] } } },
  };
  return `# kubectl apply --server-side --field-manager=${REMEDY_FIELD_MANAGER} -f THIS_FILE\n${stringify(manifest)}`;
}
