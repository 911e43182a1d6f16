import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Transport } from './transport.ts';

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

export interface EventRecorderOptions {
  readonly transport: Transport;
  /** For example `robotgc.dev/operator`. */
  readonly reportingController: string;
  /** For example the pod's name. */
  readonly reportingInstance: string;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Writes Kubernetes Events in the background; see SPEC.md. */
export class EventRecorder {
  constructor(_options: EventRecorderOptions) {}

  /** Events not written, for whatever reason. */
  get dropped(): number {
    return 0;
  }

  /** Never throws and never waits. `reason` is one CamelCase word, `note` a sentence (cut at 1 kB), `action` what was done (default: the reason). */
  record(
    _regarding: EventTarget,
    _type: 'Normal' | 'Warning',
    _reason: string,
    _note: string,
    _options?: { related?: EventTarget; action?: string },
  ): void {}

  /** Writes what waits; false when the time was not enough. Later records are dropped. */
  drain(_timeoutMs: number): Promise<boolean> {
    throw new Error('not there yet');
  }
}
