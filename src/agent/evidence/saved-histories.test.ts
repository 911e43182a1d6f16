import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeapHistory } from '../../model/index.ts';
import { syntheticWindow } from '../../model/testing.ts';
import { SavedHistories } from './saved-histories.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'robotgc-histories-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const startSecond = Date.now() / 1000 - 3600;
/** An hour that ends now. */
function anHour(history: HeapHistory): HeapHistory {
  for (let second = 0; second < 3600; second += 30) history.observe(inTime(second));
  return history;
}
const inTime = (second: number) => ({
  ...syntheticWindow(second),
  endedAt: new Date((startSecond + second) * 1000).toISOString(),
});

async function agent(current = new Map<string, HeapHistory>()): Promise<SavedHistories> {
  return SavedHistories.open({
    file: join(folder, 'heap-histories.json'),
    current: () => current,
    log: pino({ level: 'silent' }),
  });
}

describe('heap histories', () => {
  it('are those of the agent before, by container', async () => {
    const current = new Map<string, HeapHistory>();
    const first = await agent(current);
    current.set('a', anHour(first.begin('a')));
    await stopSoon(first);
    const second = await agent();
    expect(second.begin('a').points()).toEqual(current.get('a')?.points());
    expect(second.begin('b').points()).toEqual([]);
  });

  it('are kept for an agent that ends before it knows the pods of its node, but not for ever', async () => {
    const current = new Map<string, HeapHistory>();
    const first = await agent(current);
    current.set('a', anHour(first.begin('a')));
    await stopSoon(first);
    await stopSoon(await agent());
    const third = await agent();
    expect(third.begin('a').points().length).toBeGreaterThan(8);

    const old = JSON.parse(await readFile(join(folder, 'heap-histories.json'), 'utf8'));
    for (const stretch of old.a.stretches) stretch.endMs -= 7_200_000;
    await writeFile(join(folder, 'heap-histories.json'), JSON.stringify(old));
    await stopSoon(await agent());
    expect(JSON.parse(await readFile(join(folder, 'heap-histories.json'), 'utf8'))).toEqual({});
  });

  it.each(['', '{"a":', '{"a":{"stretchMs":-1}}', '[]'])('that are damaged begin anew: %j', async (text) => {
    await writeFile(join(folder, 'heap-histories.json'), text);
    expect((await agent()).begin('a').points()).toEqual([]);
  });
});

/** As an agent that runs for a moment. */
async function stopSoon(histories: SavedHistories): Promise<void> {
  await histories.run(AbortSignal.timeout(10));
}
