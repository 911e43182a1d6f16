/** The two CustomResourceDefinitions, made from the schemas. `generate.ts` writes them to `crds/`. */
import { z } from 'zod';
import { IncidentSpec, IncidentStatus } from './incident.ts';
import { API_VERSION, GROUP, VERSION } from './names.ts';
import { PolicySpec, PolicyStatus } from './policy.ts';
import { type Path, POLICY_RULES, type Rule } from './rules.ts';
import { type Structural, structural, type Validation } from './structural.ts';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1 = only with `-o wide`. */
  readonly priority?: 0 | 1;
}

interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly columns: readonly Column[];
  readonly spec: Structural;
  readonly status: Structural;
  readonly rootRules?: readonly Validation[];
  readonly description: string;
}

const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** Policy and incident names become label values, which hold 63 characters. */
const SHORT_NAME: Validation = {
  rule: 'size(self.metadata.name) <= 63',
  message: 'the name is used as a label: write at most 63 characters',
};

export function policyCrd() {
  const spec = structural(z.toJSONSchema(PolicySpec, { io: 'input' }));
  for (const rule of POLICY_RULES) attach(spec, rule);
  const status = structural(z.toJSONSchema(PolicyStatus, { io: 'input' }));
  // Keyed lists let server-side apply merge what several writers own: each agent its containers, the operator its conditions.
  keyed(status, 'conditions', ['type']);
  keyed(status, 'containers', ['pod', 'container']);
  keyed(status, 'misunderstoodBy', ['node']);
  keyed(status, 'thresholds', ['signal']);
  return crd({
    kind: 'RobotGCPolicy',
    plural: 'robotgcpolicies',
    singular: 'robotgcpolicy',
    shortName: 'rgp',
    description: 'A latency SLA for Go robots, and what robotgc may do to keep it.',
    columns: [
      { name: 'Mode', type: 'string', jsonPath: '.spec.actions.mode' },
      { name: 'Watched', type: 'integer', jsonPath: '.status.watched', description: 'Containers under watch.' },
      {
        name: 'Refused',
        type: 'integer',
        jsonPath: '.status.refused',
        description: 'Containers that cannot be watched; status says why.',
      },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Latency', type: 'string', jsonPath: '.spec.sla.latencyP99', priority: 1 },
      {
        name: 'Open',
        type: 'integer',
        jsonPath: '.status.incidents.open',
        description: 'Open incidents.',
        priority: 1,
      },
      AGE,
    ],
    rootRules: [SHORT_NAME],
    spec,
    status,
  });
}

export function incidentCrd() {
  const spec = structural(z.toJSONSchema(IncidentSpec, { io: 'input' }));
  spec['x-kubernetes-validations'] = [
    { rule: 'self == oldSelf', message: 'an incident records what was seen: its spec cannot be changed' },
  ];
  return crd({
    kind: 'RobotGCIncident',
    plural: 'robotgcincidents',
    singular: 'robotgcincident',
    shortName: 'rgi',
    description: 'One breach of a policy, and everything that followed from it.',
    columns: [
      { name: 'Pod', type: 'string', jsonPath: '.spec.pod.name' },
      { name: 'Trigger', type: 'string', jsonPath: '.spec.trigger.signal' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Cause', type: 'string', jsonPath: '.status.cause' },
      { name: 'Policy', type: 'string', jsonPath: '.spec.policy.name', priority: 1 },
      { name: 'Node', type: 'string', jsonPath: '.spec.node', priority: 1 },
      { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      AGE,
    ],
    spec,
    status: structural(z.toJSONSchema(IncidentStatus, { io: 'input' })),
  });
}

function crd({ kind, plural, singular, shortName, columns, spec, status, rootRules, description }: Resource) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['robotgc'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: `${description} ${API_VERSION}.`,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                status,
              },
              ...(rootRules ? { 'x-kubernetes-validations': rootRules } : {}),
            },
          },
        },
      ],
    },
  };
}

function attach(spec: Structural, { at, cel, message }: Rule): void {
  const node = resolve(spec, at);
  node['x-kubernetes-validations'] = [...(node['x-kubernetes-validations'] ?? []), { rule: cel, message }];
}

function resolve(root: Structural, path: Path): Structural {
  let node = root;
  for (const step of path) {
    const next = step === '[]' ? node.items : node.properties?.[step];
    if (!next) throw new Error(`a rule names spec.${path.join('.')}, which the schema does not have`);
    node = next;
  }
  return node;
}

function keyed(status: Structural, list: string, keys: string[]): void {
  const node = resolve(status, [list]);
  node['x-kubernetes-list-type'] = 'map';
  node['x-kubernetes-list-map-keys'] = keys;
}
