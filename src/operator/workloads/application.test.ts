import { describe, expect, it } from 'vitest';
import { application } from './application.ts';
import { conflictIsOverKnobAlone } from './owned.ts';
import { workloadOf } from './testing.ts';

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'dispatch', uid: 'u' };
const cause = { incident: 'i', previous: '10' };
const memory = (limit: string, request?: string) => ({
  limits: { memory: limit },
  ...(request === undefined ? {} : { requests: { memory: request } }),
});

/** As the API server tells it of our field manager. */
const owning = (containers: object) => ({
  metadata: {
    managedFields: [
      {
        manager: 'robotgc-remedy',
        operation: 'Apply',
        fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': containers } } } },
      },
    ],
  },
});
const variable = (name: string, value: string) => ({ name, value });
const containersOf = (object: ReturnType<typeof application>) => object.spec;

describe('what is applied', () => {
  it('claims one knob and its reason, nothing else', () => {
    const workload = workloadOf('StatefulSet', { containers: [{ name: 'robot' }, { name: 'proxy' }] });
    const change = { container: 'robot', knob: 'GOGC', setting: '100' } as const;
    expect(application(workload, owner, change, { cause })).toEqual({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: {
        name: 'dispatch',
        namespace: 'robots',
        uid: 'u',
        resourceVersion: '1',
        annotations: { 'robotgc.dev/cause': 'RobotGCIncident/i', 'robotgc.dev/previous': '{"GOGC":"10"}' },
      },
      spec: { template: { spec: { containers: [{ name: 'robot', env: [{ name: 'GOGC', value: '100' }] }] } } },
    });
  });

  it('leaves the knob out to unset it, and the reason when the value before is restored', () => {
    const object = application(workloadOf('StatefulSet'), owner, { container: 'robot', knob: 'GOGC', setting: null });
    expect(object.metadata).not.toHaveProperty('annotations');
    expect(containersOf(object)).toEqual({ template: { spec: { containers: [{ name: 'robot' }] } } });
  });

  it('names again what was applied before, of every container, or it would be given up', () => {
    const workload = workloadOf('StatefulSet', {
      ...owning({
        'k:{"name":"robot"}': { 'f:env': { 'k:{"name":"GOMEMLIMIT"}': {} } },
        'k:{"name":"proxy"}': {
          'f:env': { 'k:{"name":"GOGC"}': {} },
          'f:resources': { 'f:limits': { 'f:memory': {} } },
        },
      }),
      containers: [
        {
          name: 'robot',
          env: [
            { name: 'GOGC', value: '10' },
            { name: 'GOMEMLIMIT', value: '90MiB' },
          ],
        },
        { name: 'proxy', env: [{ name: 'GOGC', value: '70' }], resources: memory('1Gi', '1Gi') },
        { name: 'other', env: [{ name: 'GOGC', value: '30' }] },
      ],
    });
    const object = application(workload, owner, { container: 'robot', knob: 'GOGC', setting: '100' }, { cause });
    expect(containersOf(object)).toEqual({
      template: {
        spec: {
          containers: [
            {
              name: 'robot',
              env: [
                { name: 'GOGC', value: '100' },
                { name: 'GOMEMLIMIT', value: '90MiB' },
              ],
            },
            { name: 'proxy', env: [{ name: 'GOGC', value: '70' }], resources: memory('1Gi') },
          ],
        },
      },
    });
  });

  it('keeps the order of the variables, which may refer to each other', () => {
    const workload = workloadOf('StatefulSet', {
      ...owning({ 'k:{"name":"robot"}': { 'f:env': { 'k:{"name":"GOMEMLIMIT"}': {} } } }),
      containers: [
        { name: 'robot', env: [variable('GOMEMLIMIT', '90MiB'), variable('A', '1'), variable('GOGC', '10')] },
      ],
    });
    const object = application(workload, owner, { container: 'robot', knob: 'GOGC', setting: '100' });
    const env = [variable('GOMEMLIMIT', '90MiB'), variable('GOGC', '100')];
    expect(containersOf(object)).toEqual({ template: { spec: { containers: [{ name: 'robot', env }] } } });
  });

  it.each([
    ['the request where it was as high', memory('128Mi', '128Mi'), memory('256Mi', '256Mi')],
    ['the limit alone where the request is lower', memory('128Mi', '64Mi'), memory('256Mi')],
    ['the limit alone where nothing is requested', memory('128Mi'), memory('256Mi')],
  ])('changes a memory limit together with %s', (_, resources, expected) => {
    const workload = workloadOf('StatefulSet', { containers: [{ name: 'robot', resources }] });
    const object = application(workload, owner, { container: 'robot', knob: 'MemoryLimit', setting: '256Mi' });
    expect(containersOf(object)).toEqual({
      template: { spec: { containers: [{ name: 'robot', resources: expected }] } },
    });
  });

  it('holds the other pods of a StatefulSet back by its partition', () => {
    const change = { container: 'robot', knob: 'GOGC', setting: '100' } as const;
    const object = application(workloadOf('StatefulSet'), owner, change, { cause, partition: 2 });
    expect(containersOf(object)).toMatchObject({ updateStrategy: { rollingUpdate: { partition: 2 } } });
  });
});

describe('a conflict may be forced', () => {
  const within = '.spec.template.spec.containers[name="robot"]';
  it.each([
    ['over the variable', 'GOGC', [`${within}.env[name="GOGC"].value`], true],
    ['over another variable', 'GOMEMLIMIT', [`${within}.env[name="GOGC"].value`], false],
    ['over more than the variable', 'GOGC', [`${within}.env[name="GOGC"].value`, '.spec.replicas'], false],
    ['over a variable whose name only begins so', 'GOGC', [`${within}.env[name="GOGC"]x`], false],
    [
      'over limit and request',
      'MemoryLimit',
      [`${within}.resources.limits.memory`, `${within}.resources.requests.memory`],
      true,
    ],
    ['over the CPU', 'MemoryLimit', [`${within}.resources.limits.cpu`], false],
    ['over the partition of a canary', 'GOGC', ['.spec.updateStrategy.rollingUpdate.partition'], true],
    ['over nothing that is named', 'GOGC', [], false],
  ] as const)('%s: %s', (_, knob, fields, may) => {
    expect(conflictIsOverKnobAlone(fields, 'robot', knob)).toBe(may);
  });
});
