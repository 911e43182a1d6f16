import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { incidentCrd, policyCrd } from './crd.ts';
import { crdFiles } from './crd-files.ts';
import { BAD_POLICIES } from './policy-cases.ts';
import { POLICY_RULES } from './rules.ts';
import { structural } from './structural.ts';

const onDisk = (name: string) => readFileSync(new URL(`../../crds/${name}`, import.meta.url), 'utf8');
const schemaOf = (crd: ReturnType<typeof policyCrd>) => crd.spec.versions[0]?.schema.openAPIV3Schema;

/** Every object and array below a value. */
function* below(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  yield Object.fromEntries(Object.entries(value));
  for (const child of Object.values(value)) yield* below(child);
}

describe('the files in crds/', () => {
  it.each(Object.entries(crdFiles()))('%s is what the schemas say; else run `npm run generate`', (name, text) => {
    expect(onDisk(name)).toBe(text);
  });

  it.each(Object.entries(crdFiles()))('%s reads back as the same object', (name, text) => {
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(name.includes('polic') ? policyCrd() : incidentCrd())));
  });
});

describe('the structural schema', () => {
  it('holds nothing that Kubernetes does not know', () => {
    for (const crd of [policyCrd(), incidentCrd()]) {
      for (const node of below(schemaOf(crd))) {
        for (const unknown of ['$schema', 'propertyNames', 'pattern', 'anyOf', 'oneOf', 'hint', 'const'])
          expect(node).not.toHaveProperty(unknown);
        expect(node.additionalProperties).not.toBe(false);
        if ('type' in node && 'properties' in node) expect(node.type).toBe('object');
      }
    }
  });

  it('bounds every text and list of a spec, so that the cost of its rules is bounded', () => {
    for (const crd of [policyCrd(), incidentCrd()]) {
      for (const node of below(schemaOf(crd)?.properties.spec)) {
        if (node.type === 'string' && !node.enum && !node.format) expect(node).toHaveProperty('maxLength');
        if (node.type === 'array') expect(node).toHaveProperty('maxItems');
      }
    }
  });

  it('carries each rule once, at its place', () => {
    const rules = [...below(schemaOf(policyCrd()))].flatMap((node) =>
      typeof node.rule === 'string' ? [node.rule] : [],
    );
    for (const { cel } of POLICY_RULES) expect(rules).toContain(cel);
  });

  it('has a bad policy for every rule, so that both of its forms are held against each other', () => {
    for (const { message } of POLICY_RULES) {
      expect(
        BAD_POLICIES.some(({ words }) => words !== undefined && message.includes(words)),
        message,
      ).toBe(true);
    }
  });

  it('says null as nullable', () => {
    expect(structural(z.toJSONSchema(z.string().nullable()))).toEqual({
      type: 'string',
      maxLength: 1024,
      nullable: true,
    });
  });

  it.each([z.union([z.string(), z.number()]), z.unknown(), z.tuple([z.string()])])(
    'refuses what has no structural form',
    (schema) => {
      expect(() => structural(z.toJSONSchema(schema))).toThrow();
    },
  );
});
