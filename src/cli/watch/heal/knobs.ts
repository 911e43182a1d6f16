/** The settings of a running process by the names and words of plans. Pure. */
import type { LiveKnob, Plan, Setting } from '../../../api/index.ts';
import type { GcSettings } from '../../../host/index.ts';
import { GOGC_OFF, gogcOfSetting } from '../../../model/index.ts';

export interface LivePlan extends Plan {
  readonly kind: 'Live';
  readonly knob: LiveKnob;
  readonly to: Setting;
}

/** To be done now: nothing stands against it. */
export function isToBeDone(plan: Plan): plan is LivePlan {
  const { kind, knob, to, blockedBy } = plan;
  return kind === 'Live' && (knob === 'GOGC' || knob === 'GOMEMLIMIT') && to !== undefined && !blockedBy;
}

export function settingOf(knob: LiveKnob, { gcPercent, memoryLimitBytes }: GcSettings): Setting {
  if (knob === 'GOGC') return gcPercent === GOGC_OFF ? 'off' : String(gcPercent);
  return memoryLimitBytes === null ? null : String(memoryLimitBytes);
}

export function changeTo(knob: LiveKnob, to: Setting): Partial<GcSettings> {
  if (knob === 'GOGC') return { gcPercent: gogcOfSetting(to) };
  return { memoryLimitBytes: to === null ? null : Number(to) };
}
