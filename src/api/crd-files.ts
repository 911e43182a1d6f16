/** The text of each file in `crds/`. */
import { stringify } from 'yaml';
import { incidentCrd, policyCrd } from './crd.ts';

const HEADER = '# Generated from src/api by `npm run generate`; do not edit.\n';

export function crdFiles(): Readonly<Record<string, string>> {
  // No anchors: the same default object may occur twice, and kubectl users read these files.
  const text = (crd: object) => HEADER + stringify(crd, { aliasDuplicateObjects: false, lineWidth: 0 });
  return { 'robotgcpolicies.yaml': text(policyCrd()), 'robotgcincidents.yaml': text(incidentCrd()) };
}
