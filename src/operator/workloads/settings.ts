/** What a pod template says of a knob. Pure. */
import type { Knob } from '../../api/index.ts';
import type { Container, Workload } from '../../kube/index.ts';
import type { KnobSetting } from '../../remedy/index.ts';

const UNSET: KnobSetting = { setting: null, fromRef: false };

/** The last of several variables of one name is the one that counts, as for the container. */
export function settingOf({ env, resources }: Pick<Container, 'env' | 'resources'>, knob: Knob): KnobSetting {
  if (knob === 'MemoryLimit') return { setting: resources.limits.memory ?? null, fromRef: false };
  const variable = env.findLast(({ name }) => name === knob);
  if (!variable) return UNSET;
  return variable.fromRef ? { setting: null, fromRef: true } : { setting: variable.value, fromRef: false };
}

export function settingsOf(container: Container): Record<Knob, KnobSetting> {
  return {
    GOGC: settingOf(container, 'GOGC'),
    GOMEMLIMIT: settingOf(container, 'GOMEMLIMIT'),
    MemoryLimit: settingOf(container, 'MemoryLimit'),
  };
}

/** Where the request is as high as the limit: the pods keep their QoS class, and the node what it promised. */
export function requestFollows({ resources }: Container): boolean {
  return resources.requests.memory !== undefined && resources.requests.memory === resources.limits.memory;
}

export function templateContainer({ spec }: Workload, container: string): Container | undefined {
  return spec.template.spec.containers.find(({ name }) => name === container);
}
