import { createHash, randomBytes } from 'node:crypto';
import { listRoutes } from '@cairn/http-api';
import { type BlockId, createId } from '@cairn/model';
import { encodeDeltaPack, encodePack, problemSchema, type SignedIn } from '@cairn/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answered,
  type Asked,
  PASSWORD,
  startTestServer,
  type TestServer,
} from './testing/test-server.ts';

/** What a request may name: somebody's things, or things that nobody has. */
interface Things {
  readonly spaceId: string;
  readonly cursor: string;
  readonly rootId: string;
  readonly fileId: string;
  readonly versionId: string;
  readonly trashedId: string;
  readonly uploadId: string;
  readonly deviceId: string;
  readonly blockId: string;
  readonly path: string;
}

interface Case {
  /** Builds the request. */
  ask(things: Things): Asked & { path: string };
  /** What the owner gets for their own things. */
  readonly own: number;
  /** The request names something that can belong to somebody. */
  readonly names: boolean;
  /** Ann is one, Bob is none. */
  readonly administrators?: true;
}

const packBody = (): Uint8Array => {
  const payload = randomBytes(100);
  const blockId = `01${createHash('sha256').update(payload).digest('hex')}` as BlockId;
  return new Uint8Array(
    Buffer.concat(encodePack([{ blockId, kind: 'chunk', codec: 'raw', plainBytes: 100, payload }])),
  );
};
const newId = () => createId<string>(randomBytes(16));

/** Every route that needs a token. A route that is missing here fails the test. */
const CASES: Record<string, Case> = {
  'POST /api/v1/auth/logout': { own: 204, names: false, ask: () => ({ path: '/api/v1/auth/logout' }) },
  // A wrong one: the account is needed for the other cases.
  'POST /api/v1/auth/password': {
    own: 401,
    names: false,
    ask: () => ({
      path: '/api/v1/auth/password',
      json: { currentPassword: 'not the one', newPassword: PASSWORD },
    }),
  },
  'GET /api/v1/me': { own: 200, names: false, ask: () => ({ path: '/api/v1/me' }) },
  'GET /api/v1/devices': { own: 200, names: false, ask: () => ({ path: '/api/v1/devices' }) },
  'DELETE /api/v1/devices/:deviceId': {
    own: 204,
    names: true,
    ask: ({ deviceId }) => ({ path: `/api/v1/devices/${deviceId}` }),
  },
  'POST /api/v1/spaces/:spaceId/announcements': {
    own: 204,
    names: true,
    ask: ({ spaceId, fileId, rootId, blockId }) => ({
      path: `/api/v1/spaces/${spaceId}/announcements`,
      json: {
        transferId: 'a'.repeat(26),
        entryId: fileId,
        parentId: rootId,
        name: 'large.bin',
        sizeBytes: 1,
        chunks: [{ position: 0, block: blockId, sizeBytes: 1 }],
      },
    }),
  },
  'POST /api/v1/spaces/:spaceId/blocks/missing': {
    own: 200,
    names: true,
    ask: ({ spaceId, blockId }) => ({
      path: `/api/v1/spaces/${spaceId}/blocks/missing`,
      json: { blockIds: [blockId] },
    }),
  },
  'POST /api/v1/spaces/:spaceId/blocks/read': {
    own: 200,
    names: true,
    ask: ({ spaceId, blockId }) => ({
      path: `/api/v1/spaces/${spaceId}/blocks/read`,
      json: { blockIds: [blockId] },
    }),
  },
  'POST /api/v1/spaces/:spaceId/blocks/signatures': {
    own: 200,
    names: true,
    ask: ({ spaceId, blockId }) => ({
      path: `/api/v1/spaces/${spaceId}/blocks/signatures`,
      json: { blockIds: [blockId], spanBytes: 256 },
    }),
  },
  'POST /api/v1/spaces/:spaceId/blocks/deltas': {
    own: 200,
    names: true,
    ask: ({ spaceId, blockId }) => ({
      path: `/api/v1/spaces/${spaceId}/blocks/deltas`,
      json: { blocks: [{ blockId, bases: [blockId] }] },
    }),
  },
  'POST /api/v1/spaces/:spaceId/packs': {
    own: 200,
    names: true,
    ask: ({ spaceId }) => ({
      path: `/api/v1/spaces/${spaceId}/packs`,
      body: packBody(),
      headers: { 'content-type': 'application/vnd.cairn.pack' },
    }),
  },
  'POST /api/v1/spaces/:spaceId/changesets': {
    own: 200,
    names: true,
    ask: ({ spaceId, fileId }) => ({
      path: `/api/v1/spaces/${spaceId}/changesets`,
      json: {
        changesetId: newId(),
        changes: [{ kind: 'remove', entryId: fileId, baseSequence: 1_000_000 }],
      },
    }),
  },
  'GET /api/v1/spaces/:spaceId/snapshot': {
    own: 200,
    names: true,
    ask: ({ spaceId }) => ({ path: `/api/v1/spaces/${spaceId}/snapshot` }),
  },
  'GET /api/v1/spaces/:spaceId/conflicts': {
    own: 200,
    names: true,
    ask: ({ spaceId }) => ({ path: `/api/v1/spaces/${spaceId}/conflicts` }),
  },
  'GET /api/v1/spaces/:spaceId/retention': {
    own: 200,
    names: true,
    ask: ({ spaceId }) => ({ path: `/api/v1/spaces/${spaceId}/retention` }),
  },
  'PUT /api/v1/spaces/:spaceId/retention': {
    own: 200,
    names: true,
    ask: ({ spaceId }) => ({
      path: `/api/v1/spaces/${spaceId}/retention`,
      json: { retention: { versions: { keep: 'all' }, trash: { keep: 'days', days: 1 } } },
    }),
  },
  // One's own file that is no conflict copy: a bad request, but only for the owner.
  'POST /api/v1/spaces/:spaceId/conflicts/:entryId/resolve': {
    own: 400,
    names: true,
    ask: ({ spaceId, fileId }) => ({
      path: `/api/v1/spaces/${spaceId}/conflicts/${fileId}/resolve`,
      json: { keep: 'both', copySequence: 1, originalSequence: null },
    }),
  },
  'GET /api/v1/sync/changes': {
    own: 200,
    names: true,
    ask: ({ spaceId, cursor }) => ({
      path: `/api/v1/sync/changes?spaceId=${spaceId}&cursor=${cursor}&waitMs=50`,
    }),
  },
  'POST /api/v1/sync/heartbeat': { own: 204, names: false, ask: () => ({ path: '/api/v1/sync/heartbeat' }) },
  // Without an upgrade there is nothing here, but not before the token is checked.
  'GET /api/v1/sync/events': { own: 404, names: false, ask: () => ({ path: '/api/v1/sync/events' }) },
  'GET /api/v1/files': { own: 200, names: true, ask: ({ path }) => ({ path: `/api/v1/files?path=${path}` }) },
  'GET /api/v1/files/:entryId': {
    own: 200,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/files/${fileId}` }),
  },
  'PATCH /api/v1/files/:entryId': {
    own: 200,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/files/${fileId}`, json: { executable: true } }),
  },
  'DELETE /api/v1/files/:entryId': {
    own: 204,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/files/${fileId}` }),
  },
  'PUT /api/v1/files/content': {
    own: 200,
    names: false,
    ask: () => ({ path: `/api/v1/files/content?path=/put/${newId()}`, body: 'put' }),
  },
  'GET /api/v1/files/:entryId/content': {
    own: 200,
    names: true,
    ask: ({ fileId, versionId }) => ({ path: `/api/v1/files/${fileId}/content?versionId=${versionId}` }),
  },
  'HEAD /api/v1/files/:entryId/content': {
    own: 200,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/files/${fileId}/content` }),
  },
  'GET /api/v1/files/:entryId/versions': {
    own: 200,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/files/${fileId}/versions` }),
  },
  'POST /api/v1/files/:entryId/revert': {
    own: 200,
    names: true,
    ask: ({ fileId, versionId }) => ({ path: `/api/v1/files/${fileId}/revert`, json: { versionId } }),
  },
  // No picture: refused, but only to the owner.
  'GET /api/v1/files/:entryId/thumbnail': {
    own: 415,
    names: true,
    ask: ({ fileId, versionId }) => ({ path: `/api/v1/files/${fileId}/thumbnail?versionId=${versionId}` }),
  },
  'POST /api/v1/files/:entryId/copy': {
    own: 201,
    names: true,
    ask: ({ fileId, rootId }) => ({
      path: `/api/v1/files/${fileId}/copy`,
      json: { parentId: rootId, name: newId() },
    }),
  },
  'GET /api/v1/archives': {
    own: 200,
    names: true,
    ask: ({ fileId }) => ({ path: `/api/v1/archives?ids=${fileId}` }),
  },
  'GET /api/v1/search': { own: 200, names: false, ask: () => ({ path: '/api/v1/search?q=things' }) },
  'GET /api/v1/activity': { own: 200, names: false, ask: () => ({ path: '/api/v1/activity' }) },
  'GET /api/v1/usage': { own: 200, names: false, ask: () => ({ path: '/api/v1/usage' }) },
  'GET /api/v1/rewind': {
    own: 200,
    names: true,
    ask: ({ rootId }) => ({ path: `/api/v1/rewind?entryId=${rootId}&at=9999999999999` }),
  },
  'GET /api/v1/rewind/preview': {
    own: 200,
    names: true,
    ask: ({ rootId }) => ({ path: `/api/v1/rewind/preview?entryId=${rootId}&at=9999999999999` }),
  },
  'POST /api/v1/rewind': {
    own: 200,
    names: true,
    ask: ({ rootId }) => ({ path: '/api/v1/rewind', json: { entryId: rootId, at: 9_999_999_999_999 } }),
  },
  'GET /api/v1/admin/capacity': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/capacity' }),
  },
  'POST /api/v1/folders': {
    own: 201,
    names: false,
    ask: () => ({ path: '/api/v1/folders', json: { path: `/made/${newId()}`, parents: true } }),
  },
  'GET /api/v1/trash': { own: 200, names: false, ask: () => ({ path: '/api/v1/trash' }) },
  'POST /api/v1/trash/:entryId/restore': {
    own: 200,
    names: true,
    ask: ({ trashedId }) => ({ path: `/api/v1/trash/${trashedId}/restore` }),
  },
  'DELETE /api/v1/trash': { own: 200, names: false, ask: () => ({ path: '/api/v1/trash' }) },
  'DELETE /api/v1/trash/:entryId': {
    own: 204,
    names: true,
    ask: ({ trashedId }) => ({ path: `/api/v1/trash/${trashedId}` }),
  },
  'GET /api/v1/admin/collections': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/collections' }),
  },
  'POST /api/v1/admin/collections': {
    own: 202,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/collections', json: { dryRun: true } }),
  },
  'GET /api/v1/admin/usage': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/usage' }),
  },
  'POST /api/v1/admin/verification': {
    own: 202,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/verification', json: { quick: true } }),
  },
  'GET /api/v1/admin/verification': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/verification' }),
  },
  'GET /api/v1/admin/retention': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/retention' }),
  },
  'PUT /api/v1/admin/retention': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/retention', json: { retention: null } }),
  },
  'POST /api/v1/admin/drills': {
    own: 204,
    names: false,
    administrators: true,
    ask: () => ({
      path: '/api/v1/admin/drills',
      json: {
        kind: 'scratch',
        startedAt: 1,
        endedAt: 2,
        claims: [
          {
            id: 'a',
            claim: 'b',
            done: 'c',
            result: 'proven',
            problem: null,
            startedAt: 1,
            endedAt: 2,
            figures: {},
          },
        ],
      },
    }),
  },
  'GET /api/v1/admin/drills': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/drills' }),
  },
  'POST /api/v1/admin/drills/faults': {
    own: 404,
    names: false,
    administrators: true,
    ask: () => ({
      path: '/api/v1/admin/drills/faults',
      json: { nodeId: newId(), fault: 'held-out', forMs: 1000 },
    }),
  },
  'DELETE /api/v1/admin/drills/faults': {
    own: 204,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/drills/faults' }),
  },
  'POST /api/v1/admin/drills/canaries': {
    own: 404,
    names: false,
    administrators: true,
    ask: ({ blockId }) => ({
      path: '/api/v1/admin/drills/canaries',
      json: { nodeId: newId(), blockId, action: 'damage' },
    }),
  },
  'GET /api/v1/admin/nodes': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/nodes' }),
  },
  'GET /api/v1/admin/blocks': {
    own: 200,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/blocks' }),
  },
  // No storage node has joined, and no move is under way.
  'POST /api/v1/admin/blocks/move': {
    own: 412,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/blocks/move', json: { target: 'nodes:' } }),
  },
  'DELETE /api/v1/admin/blocks/move': {
    own: 412,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/blocks/move' }),
  },
  'POST /api/v1/admin/nodes/invitations': {
    own: 201,
    names: false,
    administrators: true,
    ask: () => ({ path: '/api/v1/admin/nodes/invitations' }),
  },
  'PATCH /api/v1/admin/nodes/:nodeId': {
    own: 404,
    names: false,
    administrators: true,
    ask: () => ({ path: `/api/v1/admin/nodes/${newId()}`, json: { state: 'draining' } }),
  },
  'DELETE /api/v1/admin/nodes/:nodeId': {
    own: 404,
    names: false,
    administrators: true,
    ask: () => ({ path: `/api/v1/admin/nodes/${newId()}` }),
  },
  'POST /api/v1/uploads': {
    own: 201,
    names: false,
    ask: () => ({ path: '/api/v1/uploads', json: { path: `/up/${newId()}`, sizeBytes: 5 } }),
  },
  'GET /api/v1/uploads/:uploadId': {
    own: 200,
    names: true,
    ask: ({ uploadId }) => ({ path: `/api/v1/uploads/${uploadId}` }),
  },
  'PUT /api/v1/uploads/:uploadId/parts/:partNumber': {
    own: 204,
    names: true,
    ask: ({ uploadId }) => ({ path: `/api/v1/uploads/${uploadId}/parts/1`, body: 'hello' }),
  },
  'POST /api/v1/uploads/:uploadId/complete': {
    own: 200,
    names: true,
    ask: ({ uploadId }) => ({ path: `/api/v1/uploads/${uploadId}/complete` }),
  },
};

/** Routes for anybody. Whoever adds one here has thought about it. */
const PUBLIC = new Set([
  'GET /',
  'GET /health',
  'GET /metrics',
  'GET /api/v1/server',
  'GET /api/v1/openapi.json',
  'POST /api/v1/auth/register',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  // Reports of browsers, which sign nothing.
  'POST /api/v1/csp-reports',
  // For whoever proves a join token, or the key of a node.
  'POST /api/v1/nodes/join',
  'POST /api/v1/nodes/announce',
]);

let server: TestServer;
let ann: SignedIn;
let bob: SignedIn;
let revoked: SignedIn;

beforeAll(async () => {
  server = await startTestServer();
  ann = await server.register('ann');
  bob = await server.register('bob');
  revoked = await server.login('ann', 'Lost phone');
  await server.ask('DELETE', `/api/v1/devices/${revoked.device.deviceId}`, { token: ann.accessToken });
});
afterAll(async () => server.close());

/** Fresh things of one user, so that cases do not disturb each other. */
async function makeThings(owner: SignedIn): Promise<Things> {
  const token = owner.accessToken;
  const path = `/things/${newId()}`;
  const file = (await server.ask('PUT', `/api/v1/files/content?path=${path}`, { token, body: `of ${path}` }))
    .json;
  const trashed = (await server.ask('PUT', `/api/v1/files/content?path=${path}t`, { token, body: 'trash' }))
    .json;
  await server.ask('DELETE', `/api/v1/files/${trashed.entry.entryId}`, { token });
  const upload = (
    await server.ask('POST', '/api/v1/uploads', { token, json: { path: `${path}u`, sizeBytes: 5 } })
  ).json;
  await server.ask('PUT', `/api/v1/uploads/${upload.uploadId}/parts/1`, { token, body: 'hello' });
  const detail = (await server.ask('GET', `/api/v1/files/${file.entry.entryId}`, { token })).json;
  const snapshot = (await server.ask('GET', `/api/v1/spaces/${owner.spaceId}/snapshot`, { token })).json;
  const device = await server.login(owner.user.username, 'Spare');
  return {
    spaceId: owner.spaceId,
    cursor: snapshot.cursor,
    rootId: owner.rootId,
    fileId: file.entry.entryId,
    versionId: file.entry.versionId,
    trashedId: trashed.entry.entryId,
    uploadId: upload.uploadId,
    deviceId: device.device.deviceId,
    blockId: detail.content.manifest.parts[0].block,
    path,
  };
}

/** Things of the right form that nobody has. */
function randomThings(like: Things): Things {
  return {
    spaceId: newId(),
    cursor: like.cursor,
    rootId: newId(),
    fileId: newId(),
    versionId: newId(),
    trashedId: newId(),
    uploadId: newId(),
    deviceId: newId(),
    blockId: `01${randomBytes(32).toString('hex')}`,
    path: `/things/${newId()}`,
  };
}

/** An answer's text without the request's id and the path that was asked for. */
function withoutEcho(answer: Answered, things: Things): string {
  return answer.text.replace(/"requestId":"[^"]*"/, '').replaceAll(things.path, '(path)');
}

function send(method: string, one: Case, things: Things, token: string | null) {
  const { path, ...asked } = one.ask(things);
  return server.ask(method, path, { ...asked, token });
}

describe('authorisation', () => {
  it('knows every registered route', () => {
    const registered = listRoutes(server.running.app)
      .filter(({ url }) => !url.startsWith('/docs'))
      .map(({ method, url }) => `${method} ${url}`);
    expect([...registered].sort()).toEqual([...Object.keys(CASES), ...PUBLIC].sort());
  });

  it('lets nobody in without having said so', () => {
    for (const { method, url, access } of listRoutes(server.running.app)) {
      if (url.startsWith('/docs') || PUBLIC.has(`${method} ${url}`)) continue;
      expect({ url, access }).toEqual({ url, access: 'signed-in' });
    }
  });

  describe.each(Object.entries(CASES))('%s', (name, one) => {
    const method = name.split(' ')[0] as string;

    it('answers by who asks and what belongs to whom', async () => {
      const own = await makeThings(ann);
      const random = randomThings(own);

      for (const things of [own, random]) {
        const anonymous = await send(method, one, things, null);
        expect(anonymous.status).toBe(401);
        expect(anonymous.headers.get('www-authenticate')).toContain('Bearer');
        if (method !== 'HEAD') expect(problemSchema.parse(anonymous.json).code).toBe('not-signed-in');

        const out = await send(method, one, things, revoked.accessToken);
        expect(out.status).toBe(401);
        if (method !== 'HEAD') expect(problemSchema.parse(out.json).code).toBe('session-revoked');

        const forged = await send(method, one, things, `${ann.accessToken.slice(0, -6)}AAAAAA`);
        expect(forged.status).toBe(401);
      }

      if (one.names) {
        const foreign = await send(method, one, own, bob.accessToken);
        const absent = await send(method, one, random, bob.accessToken);
        expect(foreign.status).toBe(404);
        // Somebody else's thing and no thing at all are the same, to the letter.
        expect(withoutEcho(foreign, own)).toEqual(withoutEcho(absent, random));
        expect(absent.status).toBe(404);
        if (method !== 'HEAD') expect(problemSchema.parse(foreign.json).code).toBe('not-found');
        const ownersView = await send(method, one, random, ann.accessToken);
        expect(ownersView.status).toBe(404);
      }

      if (one.administrators === true) {
        const member = await send(method, one, own, bob.accessToken);
        const nothing = await server.ask(method, '/api/v1/nothing', { token: bob.accessToken });
        expect(member.status).toBe(404);
        expect(withoutEcho(member, own)).toEqual(withoutEcho(nothing, own));
      }

      const token = name.includes('logout')
        ? (await server.login('ann', 'Spare')).accessToken
        : ann.accessToken;
      expect((await send(method, one, own, token)).status).toBe(one.own);
    });
  });

  it('does not let one foreign block among own ones through', async () => {
    const own = await makeThings(bob);
    const foreign = await makeThings(ann);
    const answer = await server.ask('POST', `/api/v1/spaces/${bob.spaceId}/blocks/read`, {
      token: bob.accessToken,
      json: { blockIds: [own.blockId, foreign.blockId] },
    });
    expect(answer.status).toBe(404);
    const missing = await server.ask('POST', `/api/v1/spaces/${bob.spaceId}/blocks/missing`, {
      token: bob.accessToken,
      json: { blockIds: [own.blockId, foreign.blockId] },
    });
    expect(missing.json).toEqual({ missing: [foreign.blockId], deltas: true });
  });

  it('makes nothing of foreign blocks: they are no more of a base than blocks that nobody has', async () => {
    const own = await makeThings(bob);
    const foreign = await makeThings(ann);
    const nobody = `01${createHash('sha256').update('nobody').digest('hex')}`;
    const ask = (route: string, json: unknown) =>
      server.ask('POST', `/api/v1/spaces/${bob.spaceId}/blocks/${route}`, { token: bob.accessToken, json });
    const answers = async (blockId: string) => {
      const payload = new Uint8Array(200);
      payload.set([1, ...Buffer.from(blockId, 'hex')]);
      const delta = { blockId: nobody as BlockId, kind: 'chunk', codec: 'delta', plainBytes: 5000 } as const;
      const all = await Promise.all([
        ask('signatures', { blockIds: [own.blockId, blockId], spanBytes: 128 }),
        ask('deltas', { blocks: [{ blockId, bases: [own.blockId] }] }),
        ask('deltas', { blocks: [{ blockId: own.blockId, bases: [blockId] }] }),
        server.ask('POST', `/api/v1/spaces/${bob.spaceId}/packs`, {
          token: bob.accessToken,
          headers: { 'content-type': 'application/vnd.cairn.pack' },
          body: new Uint8Array(Buffer.concat(encodeDeltaPack([{ ...delta, payload }]))),
        }),
      ]);
      return all.map((answer) => ({
        status: answer.status,
        body: answer.text.replaceAll(blockId, 'id').replace(/"requestId":"[^"]*"/, ''),
      }));
    };
    const ofForeign = await answers(foreign.blockId);
    expect(ofForeign.map(({ status }) => status)).toEqual([404, 404, 200, 409]);
    expect(ofForeign).toEqual(await answers(`01${createHash('sha256').update('no one').digest('hex')}`));
  });

  it('takes nothing about the principal from the request', async () => {
    const answer = await server.ask('POST', '/api/v1/auth/register', {
      json: { username: 'mallory', password: PASSWORD, deviceName: 'x', role: 'administrator' },
    });
    expect(answer.status).toBe(400);
    const listed = await server.ask('GET', `/api/v1/devices?userId=${ann.user.userId}`, {
      token: bob.accessToken,
    });
    expect(JSON.stringify(listed.json)).not.toContain(ann.device.deviceId);
  });
});
