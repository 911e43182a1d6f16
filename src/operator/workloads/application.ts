/**
 * The object that server-side apply is given to change one knob of one container: nothing but that, its reason, and what our field
 * manager applied before, because apply gives up (and removes) what is not named again. Pure.
 */
import { ANNOTATION_CAUSE, ANNOTATION_PREVIOUS, Knob, type Owner, type Setting } from '../../api/index.ts';
import type { Container, ObjectBody, Workload } from '../../kube/index.ts';
import { isOwned, ownsMemoryRequest } from './owned.ts';
import { requestFollows, settingOf } from './settings.ts';

export interface KnobChange {
  readonly container: string;
  readonly knob: Knob;
  /** Null takes it away: apply removes what nobody else owns. */
  readonly setting: Setting;
}

export interface Cause {
  readonly incident: string;
  /** Before the change. */
  readonly previous: Setting;
}

/**
 * @param cause none when the value before is restored: then nothing of ours is left to explain
 * @param partition of a StatefulSet, while a canary is under way: pods with a lower ordinal stay as they are
 */
export function application(
  workload: Workload,
  owner: Owner,
  change: KnobChange,
  { cause, partition }: { readonly cause?: Cause | undefined; readonly partition?: number | undefined } = {},
): ObjectBody {
  const containers = workload.spec.template.spec.containers.flatMap((container) => {
    const fields = containerFields(workload, container, change);
    return Object.keys(fields).length > 0 || container.name === change.container
      ? [{ name: container.name, ...fields }]
      : [];
  });
  const strategy = partition === undefined ? {} : { updateStrategy: { rollingUpdate: { partition } } };
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    metadata: {
      name: owner.name,
      namespace: workload.metadata.namespace,
      // With the uid, a workload deleted and made anew under the same name is refused instead of changed; with the version, one that
      // somebody changed since this was made from it.
      uid: owner.uid,
      resourceVersion: workload.metadata.resourceVersion,
      ...(cause ? { annotations: annotationsOf(change, cause) } : {}),
    },
    spec: { ...strategy, template: { spec: { containers } } },
  };
}

function annotationsOf({ knob }: KnobChange, { incident, previous }: Cause): Record<string, string> {
  return {
    [ANNOTATION_CAUSE]: `RobotGCIncident/${incident}`,
    [ANNOTATION_PREVIOUS]: JSON.stringify({ [knob]: previous }),
  };
}

function containerFields(workload: Workload, container: Container, change: KnobChange): object {
  const env: { name: string; value: string }[] = [];
  let resources: object | undefined;
  for (const knob of Knob.options) {
    const isChanged = container.name === change.container && knob === change.knob;
    const kept = isOwned(workload, container.name, knob) ? settingOf(container, knob).setting : null;
    const setting = isChanged ? change.setting : kept;
    if (setting === null) continue;
    if (knob !== 'MemoryLimit') env.push({ name: knob, value: setting });
    else {
      const withRequest = isChanged ? requestFollows(container) : ownsMemoryRequest(workload, container.name);
      resources = { limits: { memory: setting }, ...(withRequest ? { requests: { memory: setting } } : {}) };
    }
  }
  const ordered = env.toSorted((a, b) => placeOf(container, a.name) - placeOf(container, b.name));
  return { ...(env.length > 0 ? { env: ordered } : {}), ...(resources ? { resources } : {}) };
}

/** As in the template, since apply puts what it is given in its own order, and variables may refer to earlier ones. What is new comes last. */
function placeOf({ env }: Container, name: string): number {
  const at = env.findIndex((variable) => variable.name === name);
  return at < 0 ? env.length : at;
}
