/** A change as people can apply it themselves: a manifest, a command, or what to start the program with. */
import { stringify } from 'yaml';
import { type Changed, REMEDY_FIELD_MANAGER } from '../api/index.ts';
import type { Proposal } from './proposal.ts';
import type { ResizeWay } from './resize.ts';
import type { RolloutWay } from './ways.ts';

export function patchFor({ way, knob, to }: Proposal): string {
  if (to === null) return `unset ${knob}`;
  switch (way.kind) {
    case 'Live':
      return `${knob}=${to}`;
    case 'Resize':
      return resizeCommands(way, to);
    case 'Rollout':
      return manifestFor(way, knob, to);
    case 'Restart':
      return `kubectl delete pod ${way.pod} --namespace=${way.namespace}\n`;
  }
}

/** A server-side-apply manifest that owns nothing but the one knob. */
function manifestFor({ owner, namespace, container, requestFollows }: RolloutWay, knob: Changed, to: string): string {
  const fields =
    knob === 'MemoryLimit'
      ? { resources: { limits: { memory: to }, ...(requestFollows ? { requests: { memory: to } } : {}) } }
      : { env: [{ name: knob, value: to }] };
  const manifest = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    metadata: { name: owner.name, namespace },
    spec: { template: { spec: { containers: [{ name: container, ...fields }] } } },
  };
  return `# kubectl apply --server-side --field-manager=${REMEDY_FIELD_MANAGER} -f THIS_FILE\n${stringify(manifest)}`;
}

/** One for each running pod; no manifest keeps it for the pods that follow. */
function resizeCommands({ namespace, container, containers }: ResizeWay, to: string): string {
  return containers
    .map((each) => {
      const request = each.requestBytes === each.limitBytes ? { requests: { memory: to } } : {};
      const patch = { spec: { containers: [{ name: container, resources: { limits: { memory: to }, ...request } }] } };
      return `kubectl patch pod ${each.pod} --namespace=${namespace} --subresource=resize --patch='${JSON.stringify(patch)}'\n`;
    })
    .join('');
}
