import {
  type BlocksResponse,
  blocksResponseSchema,
  type CanaryRequest,
  type CanaryResponse,
  type ChangeNodeRequest,
  type ClusterResponse,
  type CollectionResponse,
  canaryResponseSchema,
  clusterResponseSchema,
  collectionResponseSchema,
  type DrillReport,
  type DrillsResponse,
  drillsResponseSchema,
  type FaultRequest,
  type FaultResponse,
  faultResponseSchema,
  type InvitationResponse,
  invitationResponseSchema,
  type MoveBlocksRequest,
  type RetentionRequest,
  type RetentionResponse,
  retentionResponseSchema,
  type UsageResponse,
  usageResponseSchema,
  type VerificationResponse,
  verificationResponseSchema,
} from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';

/** What administrators do. For others it all is `not-found`. Throws CairnError. */
export interface AdminClient {
  /** Begins to clean up or to tell what that would do, or joins who does that already. */
  beginCollection(options: { readonly dryRun: boolean }, signal?: AbortSignal): Promise<CollectionResponse>;
  collection(signal?: AbortSignal): Promise<CollectionResponse>;
  usage(signal?: AbortSignal): Promise<UsageResponse>;
  /** Begins to check that everything can be read, or joins the check that runs. */
  beginVerification(
    options: { readonly quick: boolean; readonly everyReplica?: boolean },
    signal?: AbortSignal,
  ): Promise<VerificationResponse>;
  verification(signal?: AbortSignal): Promise<VerificationResponse>;
  /** How long spaces that say nothing else keep old versions and the trash. */
  retention(signal?: AbortSignal): Promise<RetentionResponse>;
  /** Sets it, or tells what that would remove. */
  setRetention(request: RetentionRequest, signal?: AbortSignal): Promise<RetentionResponse>;
  /** Where the blocks are, and how far a move of them is. */
  blocks(signal?: AbortSignal): Promise<BlocksResponse>;
  /** Begins a move of all blocks, or changes the settings of the one that goes there already. */
  moveBlocks(request: MoveBlocksRequest, signal?: AbortSignal): Promise<BlocksResponse>;
  /** Everything goes back to where it came from. */
  cancelBlockMove(signal?: AbortSignal): Promise<BlocksResponse>;
  /** The storage nodes and how they are. */
  nodes(signal?: AbortSignal): Promise<ClusterResponse>;
  inviteNode(signal?: AbortSignal): Promise<InvitationResponse>;
  changeNode(nodeId: string, changes: ChangeNodeRequest, signal?: AbortSignal): Promise<void>;
  removeNode(nodeId: string, options: { readonly force: boolean }, signal?: AbortSignal): Promise<void>;
  readonly drills: DrillClient;
}

/** What a live drill asks for; see DrillService of the services. */
export interface DrillClient {
  record(report: DrillReport, signal?: AbortSignal): Promise<void>;
  list(signal?: AbortSignal): Promise<DrillsResponse>;
  /** Begins a fault of one node or prolongs it. */
  beginFault(request: FaultRequest, signal?: AbortSignal): Promise<FaultResponse>;
  endFault(signal?: AbortSignal): Promise<void>;
  canary(request: CanaryRequest, signal?: AbortSignal): Promise<CanaryResponse>;
}

export function createAdminClient(api: Api): AdminClient {
  return {
    beginCollection: ({ dryRun }, signal) =>
      api.ask(
        { method: 'POST', path: '/admin/collections', json: { dryRun }, signal },
        collectionResponseSchema,
      ),
    collection: (signal) =>
      api.ask({ method: 'GET', path: '/admin/collections', signal }, collectionResponseSchema),
    usage: (signal) => api.ask({ method: 'GET', path: '/admin/usage', signal }, usageResponseSchema),
    beginVerification: ({ quick, everyReplica = false }, signal) =>
      api.ask(
        { method: 'POST', path: '/admin/verification', json: { quick, everyReplica }, signal },
        verificationResponseSchema,
      ),
    verification: (signal) =>
      api.ask({ method: 'GET', path: '/admin/verification', signal }, verificationResponseSchema),
    retention: (signal) =>
      api.ask({ method: 'GET', path: '/admin/retention', signal }, retentionResponseSchema),
    setRetention: (request, signal) =>
      api.ask({ method: 'PUT', path: '/admin/retention', json: request, signal }, retentionResponseSchema),
    drills: {
      record: (report, signal) =>
        api.tell({ method: 'POST', path: '/admin/drills', json: report, once: true, signal }),
      list: (signal) => api.ask({ method: 'GET', path: '/admin/drills', signal }, drillsResponseSchema),
      beginFault: (request, signal) =>
        api.ask({ method: 'POST', path: '/admin/drills/faults', json: request, signal }, faultResponseSchema),
      endFault: (signal) => api.tell({ method: 'DELETE', path: '/admin/drills/faults', signal }),
      canary: (request, signal) =>
        api.ask(
          { method: 'POST', path: '/admin/drills/canaries', json: request, once: true, signal },
          canaryResponseSchema,
        ),
    },
    blocks: (signal) => api.ask({ method: 'GET', path: '/admin/blocks', signal }, blocksResponseSchema),
    moveBlocks: (request, signal) =>
      api.ask({ method: 'POST', path: '/admin/blocks/move', json: request, signal }, blocksResponseSchema),
    cancelBlockMove: (signal) =>
      api.ask({ method: 'DELETE', path: '/admin/blocks/move', signal }, blocksResponseSchema),
    nodes: (signal) => api.ask({ method: 'GET', path: '/admin/nodes', signal }, clusterResponseSchema),
    inviteNode: (signal) =>
      api.ask(
        { method: 'POST', path: '/admin/nodes/invitations', once: true, signal },
        invitationResponseSchema,
      ),
    changeNode: async (nodeId, changes, signal) => {
      await api.tell({ method: 'PATCH', path: apiPath`/admin/nodes/${nodeId}`, json: changes, signal });
    },
    removeNode: async (nodeId, { force }, signal) => {
      const path = apiPath`/admin/nodes/${nodeId}?force=${String(force)}`;
      await api.tell({ method: 'DELETE', path, once: true, signal });
    },
  };
}
