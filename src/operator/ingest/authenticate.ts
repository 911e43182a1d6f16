/** Who is calling: a bearer token is shown to the API server, answers are remembered briefly. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OPERATOR_AUDIENCE } from '../../api/index.ts';
import type { Transport } from '../../kube/index.ts';

const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 1000;

const Review = z.object({
  status: z
    .object({
      authenticated: z.boolean().optional(),
      user: z.object({ username: z.string().optional() }).optional(),
      audiences: z.array(z.string()).optional(),
    })
    .optional(),
});

export type Caller = { readonly type: 'agent' } | { readonly type: 'refused'; readonly message: string };

/** @param agentUser the one user let in, `system:serviceaccount:<namespace>:<name>` */
export class Authenticator {
  readonly #transport: Transport;
  readonly #agentUser: string;
  /** Keyed by digest, so that no token stays in memory. */
  readonly #known = new Map<string, { caller: Caller; untilMs: number }>();

  constructor(transport: Transport, agentUser: string) {
    this.#transport = transport;
    this.#agentUser = agentUser;
  }

  async identify(authorization: string | undefined, signal: AbortSignal): Promise<Caller> {
    const token = /^Bearer ([\x21-\x7e]{1,8192})$/.exec(authorization ?? '')?.[1];
    if (!token)
      return { type: 'refused', message: 'send the token of the agent service account as Authorization: Bearer' };
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest);
    if (known && known.untilMs > performance.now()) return known.caller;
    const caller = await this.#review(token, signal);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(digest, { caller, untilMs: performance.now() + REMEMBER_MS });
    return caller;
  }

  async #review(token: string, signal: AbortSignal): Promise<Caller> {
    const answer = await this.#transport.json({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [OPERATOR_AUDIENCE] },
      },
      signal,
    });
    const { status } = Review.parse(answer);
    if (!status?.authenticated || !status.audiences?.includes(OPERATOR_AUDIENCE)) {
      return { type: 'refused', message: `the token is not valid for audience ${OPERATOR_AUDIENCE}` };
    }
    if (status.user?.username !== this.#agentUser) {
      return {
        type: 'refused',
        message: `${status.user?.username ?? 'this user'} is not the agent (${this.#agentUser})`,
      };
    }
    return { type: 'agent' };
  }
}
