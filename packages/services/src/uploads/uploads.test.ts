import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, type TestUser } from '../testing/data-world.ts';

let world: DataWorld;
let ann: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
});
afterEach(() => world.close());

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 700_000) yield bytes.subarray(start, start + 700_000);
}

test('an upload in parts resumes, and ends as the same content as one sent at once', async () => {
  const { uploads, files } = world.services;
  const bytes = world.environment.random.bytes(17 * 1024 * 1024);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const begun = await uploads.create(ann.principal, { path: '/new/big', sizeBytes: bytes.length, sha256 });
  const { uploadId, partBytes } = begun;
  expect(begun.missingParts).toEqual([1, 2, 3]);
  const part = (number: number) => one(bytes.subarray((number - 1) * partBytes, number * partBytes));
  await uploads.putPart(ann.principal, uploadId, 3, part(3));
  await uploads.putPart(ann.principal, uploadId, 1, part(1));
  await expect(uploads.complete(ann.principal, uploadId)).rejects.toMatchObject({
    code: 'bad-request',
    details: { missingParts: [2] },
  });
  expect((await uploads.get(ann.principal, uploadId)).missingParts).toEqual([2]);
  await expect(uploads.putPart(ann.principal, uploadId, 2, part(3))).rejects.toMatchObject({
    code: 'bad-request',
  });
  await expect(uploads.putPart(ann.principal, uploadId, 4, part(3))).rejects.toMatchObject({
    code: 'bad-request',
  });
  await uploads.putPart(ann.principal, uploadId, 2, part(2));
  await uploads.putPart(ann.principal, uploadId, 2, part(2));
  const entry = await uploads.complete(ann.principal, uploadId);
  const direct = await files.putFile(ann.principal, '/direct', one(bytes), { sizeBytes: bytes.length });
  expect(direct.content.contentId).toBe(entry.content.contentId);
  await expect(uploads.get(ann.principal, uploadId)).rejects.toMatchObject({ code: 'not-found' });
});

test('a wrong SHA-256 saves nothing; an upload is its user’s alone and ends', async () => {
  const { uploads, files } = world.services;
  const bob = await world.addUser('bob');
  const sha256 = '0'.repeat(64);
  const { uploadId } = await uploads.create(ann.principal, { path: '/a', sizeBytes: 3, sha256 });
  await uploads.putPart(ann.principal, uploadId, 1, one(new Uint8Array(3)));
  await expect(uploads.complete(ann.principal, uploadId)).rejects.toMatchObject({ code: 'bad-request' });
  await expect(files.getByPath(ann.principal, null, '/a')).rejects.toMatchObject({ code: 'not-found' });
  for (const call of [
    () => uploads.get(bob.principal, uploadId),
    () => uploads.putPart(bob.principal, uploadId, 1, one(new Uint8Array(3))),
    () => uploads.complete(bob.principal, uploadId),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'not-found' });
  }
  await world.environment.advance(49 * 3_600_000);
  await expect(uploads.get(ann.principal, uploadId)).rejects.toMatchObject({ code: 'not-found' });
});

test('an empty file has no parts', async () => {
  const { uploads } = world.services;
  const { uploadId, missingParts } = await uploads.create(ann.principal, { path: '/empty', sizeBytes: 0 });
  expect(missingParts).toEqual([]);
  expect((await uploads.complete(ann.principal, uploadId)).content.sizeBytes).toBe(0);
});
