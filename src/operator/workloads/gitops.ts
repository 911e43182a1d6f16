/** Tools that put a workload back to what Git says, told by the marks that they leave on it. Pure. */
import type { Workload } from '../../kube/index.ts';

interface Tool {
  readonly name: string;
  /** Field managers under which it writes. */
  readonly managers: readonly string[];
  /** Labels or annotations by which it knows its own objects. */
  readonly marks: readonly string[];
  /** A label or annotation, and its value, by which people keep it away from an object. */
  readonly off?: readonly [mark: string, value: string];
}

/** Argo CD: docs "Resource Tracking" (`app.kubernetes.io/instance` is Helm's too, so it proves nothing). Flux: its kustomize and helm controllers. */
const TOOLS: readonly Tool[] = [
  {
    name: 'Argo CD',
    managers: ['argocd-controller', 'argocd-application-controller'],
    marks: ['argocd.argoproj.io/tracking-id', 'argocd.argoproj.io/instance'],
  },
  {
    name: 'Flux',
    managers: ['kustomize-controller'],
    marks: ['kustomize.toolkit.fluxcd.io/name'],
    off: ['kustomize.toolkit.fluxcd.io/reconcile', 'disabled'],
  },
  { name: 'Flux', managers: ['helm-controller'], marks: ['helm.toolkit.fluxcd.io/name'] },
];

export interface GitOps {
  readonly tool: string;
  /** What it was told by. */
  readonly by: string;
}

export function gitOpsOf({ metadata, managers }: Pick<Workload, 'metadata' | 'managers'>): GitOps | undefined {
  const marks = { ...metadata.labels, ...metadata.annotations };
  for (const { name: tool, managers: known, marks: keys, off } of TOOLS) {
    if (off && marks[off[0]] === off[1]) continue;
    const mark = keys.find((key) => Object.hasOwn(marks, key));
    if (mark !== undefined) return { tool, by: `${mark}=${marks[mark]}` };
    const manager = managers.find((each) => known.includes(each));
    if (manager !== undefined) return { tool, by: `field manager ${manager}` };
  }
  return undefined;
}
