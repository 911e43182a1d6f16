/** What our field manager applied to a workload, and which conflicts are over the knob alone. Pure. */
import type { Knob } from '../../api/index.ts';
import type { Workload } from '../../kube/index.ts';

const CONTAINERS = ['f:spec', 'f:template', 'f:spec', 'f:containers'];
const FIELDS: Readonly<Record<Knob, readonly string[]>> = {
  GOGC: ['f:env', 'k:{"name":"GOGC"}'],
  GOMEMLIMIT: ['f:env', 'k:{"name":"GOMEMLIMIT"}'],
  MemoryLimit: ['f:resources', 'f:limits', 'f:memory'],
};

export function isOwned(workload: Workload, container: string, knob: Knob): boolean {
  return ownsOfContainer(workload, container, FIELDS[knob]);
}

export function ownsMemoryRequest(workload: Workload, container: string): boolean {
  return ownsOfContainer(workload, container, ['f:resources', 'f:requests', 'f:memory']);
}

function ownsOfContainer({ remedyFields }: Workload, container: string, fields: readonly string[]): boolean {
  return has(remedyFields, [...CONTAINERS, `k:{"name":${JSON.stringify(container)}}`, ...fields]);
}

/** The partition of a StatefulSet is ours only while a canary is under way. */
export function ownsPartition({ remedyFields }: Workload): boolean {
  return has(remedyFields, ['f:spec', 'f:updateStrategy', 'f:rollingUpdate', 'f:partition']);
}

function has(fields: unknown, path: readonly string[]): boolean {
  let at = fields;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !(key in at)) return false;
    at = Object.entries(at).find(([name]) => name === key)?.[1];
  }
  return true;
}

/** Only then may a policy's TakeOver force it. @param fields as the API server names them in a conflict */
export function conflictIsOverKnobAlone(fields: readonly string[], container: string, knob: Knob): boolean {
  const own = [...knobPaths(container, knob), '.spec.updateStrategy.rollingUpdate.partition'];
  return (
    fields.length > 0 && fields.every((field) => own.some((path) => field === path || field.startsWith(`${path}.`)))
  );
}

function knobPaths(container: string, knob: Knob): string[] {
  const within = `.spec.template.spec.containers[name=${JSON.stringify(container)}]`;
  if (knob !== 'MemoryLimit') return [`${within}.env[name="${knob}"]`];
  return [`${within}.resources.limits.memory`, `${within}.resources.requests.memory`];
}
