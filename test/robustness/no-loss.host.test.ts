/** Not one event is lost at a thousand collections a second: what a node full of robots comes to. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildChurn } from '../../src/host/probe/testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders } from '../../src/host/probe/testing/ground.ts';
import { collectTogether } from './collecting-crowd.ts';

const missing = missingGround();

describe.skipIf(missing !== '')(`a thousand collections a second${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
  });
  afterAll(removeTemporaryFolders);

  it('over all processes: every one is seen, and none is lost', async () => {
    const found = await collectTogether({ binary, processes: 40, cyclesPerSecond: 1_500, seconds: 4 });
    expect(found.lostEvents).toBe(0);
    expect(found.cycles.probe).toBe(found.cycles.runtime);
    expect(found.pauses.probe).toBe(found.pauses.runtime);
    expect(found.cycles.runtime).toBeGreaterThanOrEqual(6_000);
    // Programs that had no processor for a while make up for it, so that a second of a busy machine has as many all the same.
    expect(found.mostInOneSecond).toBeGreaterThanOrEqual(1_000);
  });
});
