import type { Route } from '../foundation/route-context.ts';
import { activityRoute } from './api/v1/activity/list.ts';
import { blocksRoute } from './api/v1/admin/blocks.ts';
import { capacityRoute } from './api/v1/admin/capacity.ts';
import { collectionsRoute } from './api/v1/admin/collections.ts';
import { drillCanariesRoute } from './api/v1/admin/drills/canaries.ts';
import { drillFaultsRoute } from './api/v1/admin/drills/faults.ts';
import { drillReportsRoute } from './api/v1/admin/drills/reports.ts';
import { inviteNodeRoute } from './api/v1/admin/nodes/invitations.ts';
import { listNodesRoute } from './api/v1/admin/nodes/list.ts';
import { nodeRoute } from './api/v1/admin/nodes/node.ts';
import { serverRetentionRoute } from './api/v1/admin/retention.ts';
import { usageRoute } from './api/v1/admin/usage.ts';
import { verificationRoute } from './api/v1/admin/verification.ts';
import { archiveRoute } from './api/v1/archives/archive.ts';
import { loginRoute } from './api/v1/auth/login.ts';
import { logoutRoute } from './api/v1/auth/logout.ts';
import { passwordRoute } from './api/v1/auth/password.ts';
import { refreshRoute } from './api/v1/auth/refresh.ts';
import { registerRoute } from './api/v1/auth/register.ts';
import { policyReportsRoute } from './api/v1/csp-reports.ts';
import { revokeDeviceRoute } from './api/v1/devices/device.ts';
import { listDevicesRoute } from './api/v1/devices/list.ts';
import { contentRoute } from './api/v1/files/content.ts';
import { copyRoute } from './api/v1/files/copy.ts';
import { fileRoute } from './api/v1/files/file.ts';
import { listFilesRoute } from './api/v1/files/list.ts';
import { putContentRoute } from './api/v1/files/put-content.ts';
import { revertRoute } from './api/v1/files/revert.ts';
import { versionsRoute } from './api/v1/files/versions.ts';
import { createFolderRoute } from './api/v1/folders/create.ts';
import { meRoute } from './api/v1/me.ts';
import { announceNodeRoute } from './api/v1/nodes/announce.ts';
import { joinNodeRoute } from './api/v1/nodes/join.ts';
import { openapiRoute } from './api/v1/openapi.ts';
import { thumbnailRoute } from './api/v1/previews/thumbnail.ts';
import { rewindRoute } from './api/v1/rewind/rewind.ts';
import { searchRoute } from './api/v1/search/search.ts';
import { serverRoute } from './api/v1/server.ts';
import { announcementsRoute } from './api/v1/spaces/announcements.ts';
import { readDeltasRoute } from './api/v1/spaces/blocks-deltas.ts';
import { missingBlocksRoute } from './api/v1/spaces/blocks-missing.ts';
import { readBlocksRoute } from './api/v1/spaces/blocks-read.ts';
import { signBlocksRoute } from './api/v1/spaces/blocks-signatures.ts';
import { commitChangesetRoute } from './api/v1/spaces/changesets.ts';
import { conflictsRoute } from './api/v1/spaces/conflicts.ts';
import { storePackRoute } from './api/v1/spaces/packs.ts';
import { spaceRetentionRoute } from './api/v1/spaces/retention.ts';
import { snapshotRoute } from './api/v1/spaces/snapshot.ts';
import { changesRoute } from './api/v1/sync/changes.ts';
import { eventsRoute } from './api/v1/sync/events.ts';
import { heartbeatRoute } from './api/v1/sync/heartbeat.ts';
import { emptyTrashRoute } from './api/v1/trash/empty.ts';
import { listTrashRoute } from './api/v1/trash/list.ts';
import { restoreRoute } from './api/v1/trash/restore.ts';
import { completeUploadRoute } from './api/v1/uploads/complete.ts';
import { createUploadRoute } from './api/v1/uploads/create.ts';
import { uploadPartRoute } from './api/v1/uploads/parts.ts';
import { uploadRoute } from './api/v1/uploads/upload.ts';
import { accountUsageRoute } from './api/v1/usage/usage.ts';
import { healthRoute } from './health.ts';
import { metricsRoute } from './metrics.ts';

export const ALL_ROUTES: readonly Route[] = [
  collectionsRoute,
  usageRoute,
  verificationRoute,
  serverRetentionRoute,
  drillReportsRoute,
  drillFaultsRoute,
  drillCanariesRoute,
  blocksRoute,
  inviteNodeRoute,
  listNodesRoute,
  nodeRoute,
  joinNodeRoute,
  announceNodeRoute,
  loginRoute,
  logoutRoute,
  passwordRoute,
  refreshRoute,
  registerRoute,
  policyReportsRoute,
  revokeDeviceRoute,
  listDevicesRoute,
  contentRoute,
  copyRoute,
  thumbnailRoute,
  archiveRoute,
  searchRoute,
  activityRoute,
  rewindRoute,
  accountUsageRoute,
  capacityRoute,
  fileRoute,
  listFilesRoute,
  putContentRoute,
  revertRoute,
  versionsRoute,
  createFolderRoute,
  meRoute,
  openapiRoute,
  serverRoute,
  announcementsRoute,
  missingBlocksRoute,
  readBlocksRoute,
  signBlocksRoute,
  readDeltasRoute,
  commitChangesetRoute,
  conflictsRoute,
  spaceRetentionRoute,
  storePackRoute,
  snapshotRoute,
  changesRoute,
  eventsRoute,
  heartbeatRoute,
  emptyTrashRoute,
  listTrashRoute,
  restoreRoute,
  completeUploadRoute,
  createUploadRoute,
  uploadPartRoute,
  uploadRoute,
  healthRoute,
  metricsRoute,
];
