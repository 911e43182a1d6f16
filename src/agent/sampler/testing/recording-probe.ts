/** A probe that does nothing but note what it was told: for the order of things, which a real one is too quick to show. */
import type { AttachRequest, ReadyEvent } from '../../../host/probe/index.ts';
import type { AttachingProbe } from '../attachments.ts';

export interface RecordingProbe extends AttachingProbe {
  /** Ids that are attached, and pids that are watched, now. */
  readonly attached: Set<string>;
  readonly watched: Set<number>;
  /** Awaited by each order to attach before it is carried out; what it rejects with is the refusal. */
  onAttach: (request: AttachRequest) => Promise<void>;
}

const ready: ReadyEvent = { type: 'ready', protocol: 0, version: '', attach: 'perf', kernel: '', missing: [] };

export function recordingProbe(): RecordingProbe {
  const attached = new Set<string>();
  const watched = new Set<number>();
  return {
    ready,
    attached,
    watched,
    onAttach: async () => {},
    async attach(request) {
      await this.onAttach(request);
      attached.add(request.id);
      return { type: 'attached', id: request.id, points: request.points.length, attach: 'perf' };
    },
    async detach(id) {
      attached.delete(id);
    },
    async watch(pid) {
      watched.add(pid);
    },
    async unwatch(pid) {
      watched.delete(pid);
    },
    async runs() {
      return null;
    },
  };
}
