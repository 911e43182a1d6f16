import { z } from 'zod';
import { objectMeta } from './kinds/meta.ts';
import { microTime } from './micro-time.ts';
import type { Resource } from './resource.ts';

/** The object an event is about. */
export interface EventTarget {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** For example `spec.containers{robot}`. */
  readonly fieldPath?: string | undefined;
}

export interface EventFacts {
  readonly regarding: EventTarget;
  readonly related: EventTarget | undefined;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

const eventSchema = z.object({ metadata: objectMeta });
export const kubeEvents: Resource<z.infer<typeof eventSchema>> = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
  parse: (raw) => eventSchema.parse(raw),
};

/** The API server refuses longer ones. */
const NOTE_BYTES = 1024;
const WORD_CHARS = 128;

export function cutNote(note: string): string {
  if (Buffer.byteLength(note) <= NOTE_BYTES) return note;
  const ellipsis = '…';
  const bytes = Buffer.from(note).subarray(0, NOTE_BYTES - Buffer.byteLength(ellipsis));
  // A character cut in two decodes to the replacement character; a note that ends in a real one loses it, which is no harm.
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}${ellipsis}`;
}

/** Events of one series differ in their note at most. */
export function seriesKey({ regarding, related, type, reason, action }: EventFacts): string {
  const about = (target: EventTarget | undefined): readonly unknown[] =>
    target === undefined ? [] : [target.kind, target.namespace, target.name, target.uid, target.fieldPath];
  return JSON.stringify([about(regarding), about(related), type, reason, action]);
}

/** Events about what has no namespace live in `default`. */
export function eventNamespace({ regarding }: EventFacts): string {
  return regarding.namespace || 'default';
}

export function eventBody(facts: EventFacts, reporter: { controller: string; instance: string }, wallMs: number) {
  return {
    // Unlike client-go's names, which the client makes, a generated one may not end in a dot.
    metadata: { generateName: `${facts.regarding.name.slice(0, 200)}-`, namespace: eventNamespace(facts) },
    eventTime: microTime(wallMs),
    type: facts.type,
    reason: facts.reason.slice(0, WORD_CHARS),
    action: facts.action.slice(0, WORD_CHARS),
    note: cutNote(facts.note),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, WORD_CHARS),
    regarding: facts.regarding,
    ...(facts.related === undefined ? {} : { related: facts.related }),
  };
}

/** What a repetition changes: the API server holds everything else of an event immutable, the note included. */
export function seriesPatch(count: number, wallMs: number) {
  return { series: { count, lastObservedTime: microTime(wallMs) } };
}
