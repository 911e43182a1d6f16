import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openEnvelope } from './dsse.ts';
import { generateKeyPair, privateKeyFromPem } from './keys.ts';
import { scan } from './scan.ts';
import { entries, gzip, inPieces, manifestInput, temporaryFolder } from './test-support.ts';
import { BundleError } from './types.ts';
import { verifyBundle } from './verify.ts';
import { writeBundle } from './write.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 5);

/** Changes, cuts, repeats and swaps parts of the bytes. */
function mutate(bytes: Buffer): Buffer {
  let out = Buffer.from(bytes);
  for (let step = randomInt(1, 6); step > 0 && out.length > 1; step--) {
    const at = randomInt(out.length);
    const length = randomInt(1, Math.min(600, out.length - at) + 1);
    switch (randomInt(6)) {
      case 0:
        out[at] = randomInt(256);
        break;
      case 1:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), randomBytes(length), out.subarray(at)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
        break;
      case 4:
        out = out.subarray(0, at);
        break;
      default:
        out.copy(out, at, randomInt(out.length));
        break;
    }
  }
  return out;
}

describe('bundle readers on foreign bytes', () => {
  it(`answer within time and with BundleErrors only, and never verify what was not written (${minutes} min)`, async () => {
    using folder = temporaryFolder();
    const { privatePem, publicPem } = generateKeyPair();
    const signed = await writeBundle(entries, manifestInput, {
      file: join(folder.path, 'x'),
      sign: { privateKey: privateKeyFromPem(privatePem) },
    });
    const original = readFileSync(signed.file);
    const tar = gunzipSync(original);
    const until = Date.now() + minutes * 60_000;
    let rounds = 0;
    while (Date.now() < until) {
      const given = rounds % 2 === 0 ? mutate(original) : gzip(mutate(tar));
      const begun = performance.now();
      await scan(inPieces(given, randomInt(1, 5000))).catch((error: unknown) =>
        expect(error).toBeInstanceOf(BundleError),
      );
      const seen = await verifyBundle(inPieces(given, 4096), { publicKey: publicPem });
      if (seen.ok) expect(seen.manifest).toEqual(signed.manifest);
      expect(performance.now() - begun).toBeLessThan(10_000);
      try {
        openEnvelope(
          mutate(Buffer.from('{"payloadType":"x","payload":"YQ==","signatures":[{"sig":"YQ=="}]}')).toString('latin1'),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(BundleError);
      }
      rounds += 1;
    }
    expect(rounds).toBeGreaterThan(100);
  });
});
