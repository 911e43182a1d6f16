import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pods } from './kinds/index.ts';
import { splitLines } from './lines.ts';
import { resourceLabel } from './request-info.ts';
import { collectionPath, keyOf, objectPath, splitKey } from './resource.ts';
import { parseWatchLine, readObject } from './watch-event.ts';

test('lines are the same, however their bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const bytes = Buffer.from(text);
      const chunks = async function* (): AsyncGenerator<Buffer> {
        for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
      };
      const lines: string[] = [];
      const splitting = splitLines(chunks());
      let next = await splitting.next();
      for (; next.done !== true; next = await splitting.next()) lines.push(next.value);
      expect([...lines, next.value].join('\n')).toBe(text);
      expect(lines.some((line) => line.includes('\n'))).toBe(false);
    }),
  );
});

test('any line of a watch is an event or garbage, never an exception', () => {
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'NEW'),
        object: fc.jsonValue(),
      })
      .map((event) => JSON.stringify(event)),
  );
  fc.assert(
    fc.property(line, (line) => {
      const event = parseWatchLine('WATCH', line);
      expect(['upsert', 'delete', 'bookmark', 'error', 'garbage']).toContain(event.type);
      if (event.type === 'upsert') expect(typeof readObject(pods, event.raw).ok).toBe('boolean');
    }),
    { numRuns: 1_000 },
  );
});

test('a key says which object, and a path cannot be left by a name', () => {
  const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?$/);
  fc.assert(
    fc.property(fc.option(name, { nil: undefined }), name, (namespace, name) => {
      expect(splitKey(keyOf({ namespace, name }))).toEqual({ namespace: namespace ?? '', name });
    }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      let path: string;
      try {
        path = objectPath(pods, { namespace: 'robots', name });
      } catch {
        return;
      }
      const url = new URL(path, 'http://x');
      expect(decodeURIComponent(url.pathname)).toBe(`${collectionPath(pods, 'robots')}/${name}`);
    }),
  );
});

test.each([
  ['/api/v1/pods', 'pods'],
  ['/api/v1/namespaces', 'namespaces'],
  ['/api/v1/namespaces/robots', 'namespaces'],
  ['/api/v1/namespaces/robots/pods/a', 'pods'],
  ['/api/v1/namespaces/robots/pods/a/portforward', 'pods/portforward'],
  ['/apis/apps/v1/namespaces/robots/deployments/a/status', 'deployments/status'],
  ['/apis/robotgc.dev/v1alpha1/robotgcpolicies', 'robotgcpolicies'],
  ['/version', 'version'],
])('%s is measured as %s', (path, label) => {
  expect(resourceLabel(path)).toBe(label);
});
