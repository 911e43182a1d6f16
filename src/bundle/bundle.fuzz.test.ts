import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import { openEnvelope } from './dsse.ts';
import { generateKeyPair, privateKeyFromPem } from './keys.ts';
import { scan } from './scan.ts';
import { entries, gzip, inPieces, manifestInput, temporaryFolder } from './test-support.ts';
import { BundleError } from './types.ts';
import { verifyBundle } from './verify.ts';
import { writeBundle } from './write.ts';

const envelope = Buffer.from('{"payloadType":"x","payload":"YQ==","signatures":[{"sig":"YQ=="}]}');

function refusedAsBundle(error: unknown): void {
  if (!(error instanceof BundleError)) throw error;
}

describe('bundle readers on foreign bytes', () => {
  it('answer within time and with BundleErrors only, and never verify what was not written', async () => {
    using folder = temporaryFolder();
    const { privatePem, publicPem } = generateKeyPair();
    const signed = await writeBundle(entries, manifestInput, {
      file: join(folder.path, 'x'),
      sign: { privateKey: privateKeyFromPem(privatePem) },
    });
    const original = readFileSync(signed.file);
    const tar = gunzipSync(original);
    const report = await fuzz({
      name: 'bundles',
      share: 0.1,
      limitMs: 10_000,
      make: (random) => {
        const packed = random.below(2) === 0;
        const bytes = Buffer.from(mutate(random, { corpus: [packed ? original : tar], maxBytes: 2 ** 24 }));
        return { given: packed ? bytes : gzip(bytes), step: 1 + random.below(5000) };
      },
      take: async ({ given, step }) => {
        await scan(inPieces(given, step)).catch(refusedAsBundle);
        const seen = await verifyBundle(inPieces(given, 4096), { publicKey: publicPem });
        if (seen.ok && !isDeepStrictEqual(seen.manifest, signed.manifest)) throw new Error('verified another manifest');
      },
      show: ({ given, step }) => `${step} ${given.toString('base64').slice(0, 6000)}`,
    });
    expect(report.inputs).toBeGreaterThan(0);
  });

  it('envelopes are opened or refused', async () => {
    const report = await fuzz({
      name: 'envelopes',
      make: (random) => mutate(random, { corpus: [envelope] }),
      take: (bytes) => {
        try {
          openEnvelope(Buffer.from(bytes).toString('latin1'));
        } catch (error) {
          refusedAsBundle(error);
        }
      },
    });
    expect(report.inputs).toBeGreaterThan(0);
  });
});
