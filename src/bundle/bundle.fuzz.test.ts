import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { wantedInputs } from '../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../test/support/fuzz/mutate.ts';
import { randomFrom } from '../../test/support/fuzz/random.ts';
import { openEnvelope } from './dsse.ts';
import { generateKeyPair, privateKeyFromPem } from './keys.ts';
import { scan } from './scan.ts';
import { entries, gzip, inPieces, manifestInput, temporaryFolder } from './test-support.ts';
import { BundleError } from './types.ts';
import { verifyBundle } from './verify.ts';
import { writeBundle } from './write.ts';

const rounds = wantedInputs(300);
const seed = Number(process.env.ROBOTGC_FUZZ_SEED ?? Date.now()) >>> 0;

const envelope = Buffer.from('{"payloadType":"x","payload":"YQ==","signatures":[{"sig":"YQ=="}]}');

describe('bundle readers on foreign bytes', () => {
  it(`answer within time and with BundleErrors only, and never verify what was not written (${rounds} of seed ${seed})`, async () => {
    using folder = temporaryFolder();
    const { privatePem, publicPem } = generateKeyPair();
    const signed = await writeBundle(entries, manifestInput, {
      file: join(folder.path, 'x'),
      sign: { privateKey: privateKeyFromPem(privatePem) },
    });
    const original = readFileSync(signed.file);
    const tar = gunzipSync(original);
    const random = randomFrom(seed);
    const mutated = (bytes: Uint8Array): Buffer => Buffer.from(mutate(random, { corpus: [bytes], maxBytes: 2 ** 24 }));
    for (let round = 0; round < rounds; round++) {
      const given = round % 2 === 0 ? mutated(original) : gzip(mutated(tar));
      const begun = performance.now();
      await scan(inPieces(given, 1 + random.below(5000))).catch((error: unknown) =>
        expect(error).toBeInstanceOf(BundleError),
      );
      const seen = await verifyBundle(inPieces(given, 4096), { publicKey: publicPem });
      if (seen.ok) expect(seen.manifest).toEqual(signed.manifest);
      expect(performance.now() - begun).toBeLessThan(10_000);
      try {
        openEnvelope(mutated(envelope).toString('latin1'));
      } catch (error) {
        expect(error).toBeInstanceOf(BundleError);
      }
    }
    expect(rounds).toBeGreaterThan(0);
  });
});
