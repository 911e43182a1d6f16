/**
 * From a breach to evidence in the outbox. The capture does not wait for the API server: the window in which it went wrong is now.
 *
 *   breach ─┬─ create the RobotGCIncident (repeated until the API server has taken it) ─┬─ bundle ─ outbox ─ status.capture
 *           └─ fetch profiles, look at cgroup and processes ────────────────────────────┘
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AGENT_FIELD_MANAGER, type CaptureStatus, durationMs, type RobotGCIncident } from '../../api/index.ts';
import { type Outbox, redactedYaml, type WrittenBundle, writeBundle } from '../../bundle/index.ts';
import type { Proc } from '../../host/index.ts';
import {
  apply,
  create,
  get,
  getRaw,
  incidents,
  isKubeError,
  type Log,
  pods,
  type Transport,
} from '../../kube/index.ts';
import {
  bundleEntries,
  type CaptureReport,
  type Evidence,
  processFacts,
  type Recorder,
  toolVersions,
} from '../evidence/index.ts';
import { backoffMs } from '../sampler/backoff.ts';
import type { Sampler } from '../sampler/index.ts';
import { sleep } from '../sleep.ts';
import { type Detection, type IncidentBody, incidentOf } from './incident.ts';
import type { PprofWays } from './pprof-ways.ts';
import { fetchProfiles } from './profiles.ts';

export interface ResponderOptions {
  readonly transport: Transport;
  readonly sampler: Pick<Sampler, 'inspect' | 'captureBegins'>;
  readonly ways: PprofWays;
  readonly proc: Proc;
  readonly outbox: Outbox;
  /** On the outbox's file system. */
  readonly scratchDir: string;
  readonly log: Log;
  /** The outbox has something new. */
  readonly onBundle: () => void;
  readonly onCaptured: (outcome: 'complete' | 'partial' | 'failed', tookMs: number) => void;
}

/** The API server may be away for a while; evidence of an incident that nobody can ever see is of no use. */
const createForMs = 10 * 60_000;
const lastWordMs = 5_000;
const final: ReadonlySet<string> = new Set(['Forbidden', 'Invalid', 'BadRequest', 'NotFound', 'MethodNotAllowed']);

export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** Rejects when the incident could not be created; `signal` ends it early. */
  async respond(detection: Detection, recorder: Recorder, signal: AbortSignal): Promise<void> {
    const beganMs = performance.now();
    const body = incidentOf(detection);
    const startedAt = new Date().toISOString();
    const creating = this.#create(body, startedAt, signal);
    try {
      const [incident, evidence] = await Promise.all([creating, this.#collect(detection, recorder, signal)]);
      const capture = await this.#keep(incident, detection, evidence);
      // Also in a shutdown: the bundle is kept, and its digest must be known to whoever receives it later.
      // And before the delivery: the operator's first look at the incident then shows what the agent had to say.
      await this.#tell(incident, { ...capture, startedAt }, AbortSignal.timeout(lastWordMs)).finally(() =>
        this.#options.onBundle(),
      );
      const lacking = (capture.failures?.length ?? 0) > 0;
      this.#options.onCaptured(lacking ? 'partial' : 'complete', performance.now() - beganMs);
    } catch (error) {
      this.#options.onCaptured('failed', performance.now() - beganMs);
      throw error;
    }
  }

  async #create(body: IncidentBody, startedAt: string, signal: AbortSignal): Promise<RobotGCIncident> {
    const { transport, log } = this.#options;
    const deadlineMs = performance.now() + createForMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const incident = await createOnce(transport, body, signal);
        // Only for people who look meanwhile; the last word comes with the bundle.
        await this.#tell(incident, { startedAt }, signal).catch((error: unknown) =>
          log.warn({ err: error, incident: body.metadata.name }, 'the begin of a capture could not be told'),
        );
        return incident;
      } catch (error) {
        signal.throwIfAborted();
        if ((isKubeError(error) && final.has(error.code)) || performance.now() > deadlineMs) throw error;
        const waitMs = backoffMs(attempt, 250, 15_000);
        log.warn({ err: error, incident: body.metadata.name, waitMs }, 'the incident could not be created yet');
        await sleep(waitMs, signal);
      }
    }
  }

  async #collect(detection: Detection, recorder: Recorder, signal: AbortSignal): Promise<Evidence> {
    const { sampler, ways, proc } = this.#options;
    const { containerId, pod, policy } = detection;
    const inspection = sampler.inspect(containerId);
    const pid = inspection?.programs[0]?.pid ?? 0;
    const { pprof } = policy.spec.capture;
    const captureOver = sampler.captureBegins(containerId);
    try {
      const [profiles, podYaml] = await Promise.all([
        fetchProfiles({ containerId, pod, pid, pprof }, policy.spec.capture, ways, signal),
        this.#podManifest(detection, signal),
        // The signals of this time are evidence too, also where no profile can be had; a shutdown takes what is there.
        sleep(durationMs(policy.spec.capture.duration), signal).catch(() => undefined),
      ]);
      const processes = processFacts(proc, inspection?.programs.map((program) => program.pid) ?? []);
      return {
        recorder,
        inspection,
        processes,
        profiles: profiles.files,
        report: profiles.report,
        ...(podYaml === undefined ? {} : { podYaml }),
      };
    } finally {
      captureOver();
    }
  }

  /** The whole pod, as the API server has it: the projection in the cache is too small for an auditor. */
  async #podManifest({ pod }: Detection, signal: AbortSignal): Promise<string | undefined> {
    const { transport, log } = this.#options;
    try {
      return redactedYaml(await getRaw(transport, pods, pod.metadata, { signal }));
    } catch (error) {
      log.warn({ err: error, pod: pod.metadata.name }, 'the manifest of the pod is missing in the bundle');
      return undefined;
    }
  }

  /** Never rejects: evidence that finds no room is told in the incident, where those who wait for it look. */
  async #keep(
    incident: RobotGCIncident,
    detection: Detection,
    evidence: Evidence,
  ): Promise<Omit<CaptureStatus, 'startedAt'>> {
    const { via, failures } = evidence.report;
    const endedAt = new Date().toISOString();
    const told = { endedAt, ...(via === undefined ? {} : { via }), failures: failures.map(plainFailure) };
    try {
      const written = await this.#write(incident, detection, evidence, endedAt);
      return { ...told, files: written.manifest.files.length, sha256: written.sha256 };
    } catch (error) {
      this.#options.log.error({ err: error, incident: incident.metadata.name }, 'the evidence could not be kept');
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
      const message = error instanceof Error ? error.message : String(error);
      return { ...told, files: 0, failures: [...told.failures, { kind: 'bundle', code, message }] };
    }
  }

  async #write(
    { metadata: { namespace, name, uid } }: RobotGCIncident,
    { policy: { metadata, spec }, node }: Detection,
    evidence: Evidence,
    createdAt: string,
  ): Promise<WrittenBundle> {
    const { outbox, scratchDir } = this.#options;
    const incident = { namespace, name, uid };
    const policy = {
      metadata: { namespace, name: metadata.name, uid: metadata.uid, generation: metadata.generation },
      spec: plainJson(spec),
    };
    const tools = toolVersions(evidence.inspection?.programs[0]?.plan.goVersion);
    const file = join(scratchDir, `${uid}.tar.gz`);
    try {
      const written = await writeBundle(
        bundleEntries(evidence),
        { incident, policy, createdAt, node, tools },
        { file, isScratch: true },
      );
      const { sha256, sizeBytes } = written;
      await outbox.put({ incident, sha256, sizeBytes, createdAt }, file);
      return written;
    } finally {
      // Moved into the outbox, or of no use.
      await rm(file, { force: true });
    }
  }

  async #tell(
    { metadata: { namespace, name } }: RobotGCIncident,
    capture: CaptureStatus,
    signal: AbortSignal,
  ): Promise<void> {
    const body = { metadata: { namespace, name }, status: { capture } };
    const options = { fieldManager: AGENT_FIELD_MANAGER, subresource: 'status', force: true, signal };
    await apply(this.#options.transport, incidents, body, options);
  }
}

/** The name is the breach's own: an incident that is there already was made by an earlier attempt of ours. */
async function createOnce(transport: Transport, body: IncidentBody, signal: AbortSignal): Promise<RobotGCIncident> {
  try {
    return await create(transport, incidents, body, { fieldManager: AGENT_FIELD_MANAGER, signal });
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    return await get(transport, incidents, body.metadata, { signal });
  }
}

/** Without the `undefined`s that optional fields may hold. */
function plainJson(value: unknown): ReturnType<typeof JSON.parse> {
  return JSON.parse(JSON.stringify(value));
}

function plainFailure({ kind, code, message }: CaptureReport['failures'][number]): {
  kind: string;
  code: string;
  message: string;
} {
  return { kind, code, message };
}
