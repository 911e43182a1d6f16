/** The product's own kinds. */
import { RobotGCIncident, RobotGCPolicy } from '../../api/index.ts';
import type { Resource } from '../resource.ts';

const own = { group: 'robotgc.dev', version: 'v1alpha1', namespaced: true } as const;

export const policies: Resource<RobotGCPolicy> = {
  ...own,
  plural: 'robotgcpolicies',
  kind: 'RobotGCPolicy',
  parse: (raw) => RobotGCPolicy.parse(raw),
};

export const incidents: Resource<RobotGCIncident> = {
  ...own,
  plural: 'robotgcincidents',
  kind: 'RobotGCIncident',
  parse: (raw) => RobotGCIncident.parse(raw),
};
