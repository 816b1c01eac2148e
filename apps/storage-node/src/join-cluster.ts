import { createJoinPair, deriveNodeKey, isProven, type JoinToken, proveParts } from '@cairn/crypto';
import { CairnError, ERROR_CODES, type ErrorCode } from '@cairn/model';
import { joinNodeResponseSchema, NODE_PROOFS, problemSchema } from '@cairn/protocol';
import type { Membership } from './node-folder.ts';

/** What the node tells the cluster about itself. */
export interface NodeOffer {
  /** Where the servers reach it, `host:port`. */
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
}

const TIMEOUT_MS = 15_000;
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));

async function post(server: string, path: string, body: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(new URL(path, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new CairnError(
      'server-unreachable',
      `the server at ${server} does not answer; see whether it runs`,
      {
        cause: error,
      },
    );
  }
  const value: unknown = await response.json().catch(() => null);
  if (response.ok) return value;
  const problem = problemSchema.safeParse(value);
  if (problem.success && Object.hasOwn(ERROR_CODES, problem.data.code)) {
    throw new CairnError(problem.data.code as ErrorCode, problem.data.detail ?? problem.data.title);
  }
  throw new CairnError('not-a-cairn-server', `${server} is no Cairn server; check the address after --join`);
}

/**
 * Becomes a member of the cluster of `server` (see the crypto room for the exchange).
 * @throws CairnError `server-unreachable`, `not-a-cairn-server`, `wrong-credentials` when either side cannot prove the token
 */
export async function joinCluster(server: string, token: JoinToken, offer: NodeOffer): Promise<Membership> {
  const pair = createJoinPair();
  const { tokenId, secret } = token;
  const said = [tokenId, pair.publicKey, offer.address, offer.zone, String(offer.weight)];
  const answer = joinNodeResponseSchema.safeParse(
    await post(server, '/api/v1/nodes/join', {
      tokenId,
      publicKey: base64(pair.publicKey),
      ...offer,
      proof: base64(proveParts(secret, NODE_PROOFS.offer, said)),
    }),
  );
  if (!answer.success) {
    throw new CairnError('not-a-cairn-server', `${server} answers in a way that is not understood`, {
      cause: answer.error,
    });
  }
  const { nodeId } = answer.data;
  const other = bytesOf(answer.data.publicKey);
  if (!isProven(bytesOf(answer.data.proof), secret, NODE_PROOFS.answer, [pair.publicKey, other, nodeId])) {
    throw new CairnError(
      'wrong-credentials',
      `what answers at ${server} does not know the join token; somebody may be in between. Check the address`,
    );
  }
  const key = deriveNodeKey(pair.privateKey, other, secret, nodeId, pair.publicKey);
  return { nodeId, key: Buffer.from(key).toString('hex'), server };
}

/** Tells the cluster where the node is now. @throws CairnError as {@link joinCluster} */
export async function announceNode(
  { server, nodeId, key }: Membership,
  address: string,
  bootCount: number,
): Promise<void> {
  const proof = proveParts(Buffer.from(key, 'hex'), NODE_PROOFS.announcement, [
    nodeId,
    address,
    String(bootCount),
  ]);
  await post(server, '/api/v1/nodes/announce', { nodeId, address, bootCount, proof: base64(proof) });
}
