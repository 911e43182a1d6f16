/** The diagnosis against robots whose fault is known: recorded with the real probe, diagnosed again here. */
import { describe, expect, it } from 'vitest';
import { SIGNALS } from '../../src/api/index.ts';
import { diagnose } from '../../src/diagnosis/index.ts';
import { deriveThresholds } from '../../src/model/index.ts';
import { causeOf, LABELS } from './fault.ts';
import { faults } from './faults/index.ts';
import { allRecordings } from './recordings.ts';
import { earlier, isRight, planFor, verdictOf, verdictText } from './verdict.ts';

const judged = allRecordings().map((recording) => ({ recording, verdict: verdictOf(recording) }));
const isHealthy = ({ recording }: (typeof judged)[number]): boolean => causeOf(recording.label) === 'NotGc';

describe('robots whose fault is known', () => {
  it('are all recorded', () => {
    const names = ({ label, name }: { label: string; name: string }): string => `${label}: ${name}`;
    expect(judged.map(({ recording }) => names(recording)).sort()).toEqual(faults.map(names).sort());
  });

  it.each(LABELS)('%s is named first', (label) => {
    const ofLabel = judged.filter(({ recording }) => recording.label === label);
    const wrong = ofLabel.filter(({ recording, verdict }) => !isRight(recording, verdict));
    expect(wrong.map(({ recording, verdict }) => verdictText(recording, verdict))).toEqual([]);
  });
});

describe('a robot that nothing of ours is wrong with', () => {
  it('is left as it is', () => {
    const acted = judged.filter((each) => isHealthy(each) && (each.verdict.plan?.kind ?? 'None') !== 'None');
    expect(acted.map(({ recording, verdict }) => verdictText(recording, verdict))).toEqual([]);
  });

  it('is left as it is whatever signal were to open an incident', () => {
    for (const { recording } of judged.filter(isHealthy)) {
      const { windows, spec } = recording;
      for (const trigger of SIGNALS) {
        const [finding] = diagnose({ windows, spec, thresholds: deriveThresholds(spec), trigger });
        if (finding) expect(planFor(recording, trigger, finding)).toMatchObject({ kind: 'None' });
      }
    }
  });
});

describe('a robot that nothing of ours is wrong with, at any moment of its run', () => {
  it('is left as it is', () => {
    for (const recording of judged.filter(isHealthy).flatMap((each) => earlier(each.recording))) {
      expect(verdictOf(recording).plan?.kind ?? 'None').toBe('None');
    }
  });
});

describe('a wrong diagnosis', () => {
  it('changes nothing', () => {
    const acted = judged.filter(
      ({ recording, verdict }) => !isRight(recording, verdict) && (verdict.plan?.kind ?? 'None') !== 'None',
    );
    expect(acted.map(({ recording, verdict }) => verdictText(recording, verdict))).toEqual([]);
  });
});

describe('a finding', () => {
  it('has its numbers, what would refute it, and a remedy or none', () => {
    for (const { verdict } of judged) {
      for (const { evidence, refutedBy, confidence, summary } of verdict.findings) {
        expect(evidence.join()).toMatch(/\d/);
        expect(refutedBy).toMatch(/\.$/);
        expect(summary).toMatch(/\.$/);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
      }
    }
  });
});
