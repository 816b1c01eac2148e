import type { SpaceId } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import {
  addAccount,
  append,
  blockId,
  chunk,
  file,
  folder,
  GENESIS,
  id,
  journalRow,
  manifestBlockId,
  NEW_BLOCKS,
  ROOT,
  SPACE,
  trashRecord,
  USER,
  user,
  version,
} from './contract-fixture.ts';
import { InvalidStateError } from './invalid-state.ts';
import type { MetadataStore, MetadataTransaction } from './metadata-store.ts';

const OTHER = id<SpaceId>('otherspace');

/** Part of the contract: states that must be impossible, each with the rule that refuses it. */
export function describeInvalidStates(getStore: () => MetadataStore): void {
  describe('invalid states are refused', () => {
    type Attempt = (transaction: MetadataTransaction) => Promise<unknown>;
    const attempts: [what: string, rule: string, attempt: Attempt][] = [
      [
        'two siblings whose names fold to the same',
        'one_name_per_sibling',
        (t) => t.insertEntries([folder('x'), folder('y', ROOT, { name: 'X' })]),
      ],
      [
        'a rename onto a sibling',
        'one_name_per_sibling',
        (t) => t.updateEntries([folder('b', id('a'), { name: 'FILE', sequence: 1 })]),
      ],
      ['a parent that is not there', 'entries_to_entries', (t) => t.insertEntries([folder('x', id('none'))])],
      ['a parent that is a file', 'entries_to_entries', (t) => t.insertEntries([folder('x', id('file'))])],
      [
        'a parent in another space',
        'entries_to_entries',
        (t) => t.insertEntries([folder('x', ROOT, { spaceId: OTHER })]),
      ],
      [
        'a live entry in a trashed folder',
        'entries_to_entries',
        (t) => t.insertEntries([folder('x', id('gone'))]),
      ],
      ['a folder inside itself', 'entries_have_no_cycle', (t) => t.updateEntries([folder('a', id('b'))])],
      [
        'a cycle of two in one batch',
        'entries_have_no_cycle',
        (t) => t.updateEntries([folder('a', id('b')), folder('b', id('a'))]),
      ],
      ['its own parent', 'entry_is_not_its_own_parent', (t) => t.updateEntries([folder('a', id('a'))])],
      [
        'a cycle of new entries',
        'entries_have_no_cycle',
        (t) => t.insertEntries([folder('x', id('y')), folder('y', id('x'))]),
      ],
      ['a second root', 'one_root_per_space', (t) => t.insertEntries([folder('x', null, { name: '' })])],
      [
        'an entry with neither parent nor trash',
        'only_the_root_has_no_name',
        (t) => t.insertEntries([folder('x', null)]),
      ],
      ['a moved root', 'entries_keep_root', (t) => t.updateEntries([folder('root', id('a'), { name: 'r' })])],
      ['a trashed root', 'entries_keep_root', (t) => t.trashSubtree(trashRecord('root'))],
      [
        'an entry without a name',
        'only_the_root_has_no_name',
        (t) => t.insertEntries([folder('x', ROOT, { name: '' })]),
      ],
      [
        'a name with a separator',
        'name_has_no_separator',
        (t) => t.insertEntries([folder('x', ROOT, { name: 'a/b' })]),
      ],
      [
        'a folder with a version',
        'all_but_folders_have_a_version',
        (t) => t.insertEntries([folder('x', ROOT, { versionId: id('vfile') })]),
      ],
      [
        'a file without a version',
        'all_but_folders_have_a_version',
        (t) => t.insertEntries([file('x', ROOT, { versionId: null })]),
      ],
      ['a file whose version is missing', 'entries_to_versions', (t) => t.insertEntries([file('x')])],
      [
        'a version of another entry',
        'entries_to_versions',
        (t) => t.insertEntries([file('x', ROOT, { versionId: id('vfile') })]),
      ],
      ['another kind', 'entries_keep_identity', (t) => t.updateEntries([folder('file', id('a'))])],
      [
        'an executable folder',
        'only_files_are_executable',
        (t) => t.insertEntries([folder('x', ROOT, { executable: true })]),
      ],
      [
        'a sequence that goes back',
        'entries_go_forward',
        (t) => t.updateEntries([folder('late', ROOT, { sequence: 4 })]),
      ],
      ['a placeholder name after the commit', 'entries_to_never', (t) => t.vacateNames(SPACE, [id('a')])],
      [
        'a trash item without its record',
        'entries_to_trash',
        (t) => t.insertEntries([folder('x', null, { trashId: id('x') })]),
      ],
      [
        'an entry that is already there',
        'entries_key',
        (t) => t.insertEntries([folder('a', ROOT, { name: 'free' })]),
      ],
      ['a change of an entry that is not there', 'entry_exists', (t) => t.updateEntries([folder('none')])],
      [
        'a restore of what is not in the trash',
        'trash_item_exists',
        (t) => t.restoreSubtree(SPACE, id('a'), ROOT, 'a', 9),
      ],
      [
        'a restore into what came with it',
        'entries_have_no_cycle',
        (t) => t.restoreSubtree(SPACE, id('gone'), id('inner'), 'x', 9),
      ],
      [
        'a version without content',
        'files_have_content',
        (t) => t.insertVersions([version('file', { versionId: id('v2'), content: null })]),
      ],
      ['a version of no entry', 'versions_to_entries', (t) => t.insertVersions([version('x')])],
      ['a version that is already there', 'versions_key', (t) => t.insertVersions([version('file')])],
      ['a journal that starts with a gap', 'journal_has_no_gap', (t) => append(t, [journalRow(2)])],
      ['a journal with a gap', 'journal_has_no_gap', (t) => append(t, [journalRow(1), journalRow(3)])],
      ['a journal row twice', 'journal_has_no_gap', (t) => append(t, [journalRow(1), journalRow(1)])],
      [
        'a journal row of no space',
        'journal_has_no_gap',
        (t) => t.appendJournal([journalRow(1, { spaceId: id('none') })]),
      ],
      ['a journal ahead of its space', 'journal_tails_to_spaces', (t) => t.appendJournal([journalRow(1)])],
      ['a space ahead of its journal', 'journal_tails_to_spaces', (t) => t.advanceSpace(SPACE, 1, GENESIS)],
      [
        'a head with another hash',
        'journal_tails_to_spaces',
        async (t) => {
          await t.appendJournal([journalRow(1)]);
          await t.advanceSpace(SPACE, 1, GENESIS);
        },
      ],
      ['a reference to no block', 'block_references_to_blocks', (t) => t.addReferences(SPACE, [blockId(5)])],
      ['a lease of no block', 'block_leases_to_blocks', (t) => t.leaseBlocks(USER, [blockId(5)], 1)],
      [
        'a chunk with parts',
        'only_manifest_blocks_have_parts',
        (t) => t.insertBlocks([{ ...chunk(5), parts: [] }], NEW_BLOCKS),
      ],
      [
        'a manifest block at depth 0',
        'only_manifest_blocks_have_depth',
        (t) =>
          t.insertBlocks(
            [{ ...chunk(5), blockId: manifestBlockId(5), kind: 'manifest', parts: [] }],
            NEW_BLOCKS,
          ),
      ],
      [
        'a chunk under the id of a manifest block',
        'id_says_the_kind',
        (t) => t.insertBlocks([{ ...chunk(5), blockId: manifestBlockId(5) }], NEW_BLOCKS),
      ],
      ['a user without a personal space', 'users_to_spaces', (t) => t.insertUser(user('x', id('none')))],
      [
        "a user with somebody else's space",
        'one_user_per_personal_space',
        (t) => t.insertUser(user('x', SPACE)),
      ],
      [
        'a device of nobody',
        'devices_to_users',
        (t) =>
          t.insertDevice({
            deviceId: id('d2'),
            userId: id('none'),
            name: '',
            createdAt: 1,
            lastSeenAt: 1,
            revokedAt: null,
          }),
      ],
      [
        'a root that is a file',
        'the_root_is_a_folder',
        (t) => t.insertEntries([file('x', null, { name: '' })]),
      ],
      [
        'a second top of a trash item',
        'only_the_top_of_an_item_has_no_parent',
        (t) => t.insertEntries([folder('x', null, { trashId: id('gone') })]),
      ],
      [
        'a trash item that is inside another one',
        'entries_to_entries,trash_to_entries',
        async (t) => {
          await t.trashSubtree(trashRecord('late'));
          await t.updateEntries([folder('gone', id('late'), { trashId: id('late'), sequence: 9 })]);
        },
      ],
      ['a trash of what is in the trash', 'entry_is_live', (t) => t.trashSubtree(trashRecord('gone'))],
      [
        'a trash that goes back',
        'entries_go_forward',
        (t) => t.trashSubtree(trashRecord('late', { sequence: 4 })),
      ],
      [
        'a restore onto a sibling',
        'one_name_per_sibling',
        (t) => t.restoreSubtree(SPACE, id('gone'), ROOT, 'A', 9),
      ],
      [
        'a restore into a file',
        'entries_to_entries',
        (t) => t.restoreSubtree(SPACE, id('gone'), id('file'), 'x', 9),
      ],
      [
        'a restore into itself',
        'entry_is_not_its_own_parent',
        (t) => t.restoreSubtree(SPACE, id('gone'), id('gone'), 'x', 9),
      ],
      [
        'a revival into what stays in the trash',
        'entries_to_entries',
        (t) => t.updateEntries([folder('inner', id('gone'), { sequence: 9 })]),
      ],
      [
        'a link without a target',
        'links_have_a_target',
        (t) =>
          t.insertVersions([
            version('file', { versionId: id('v2'), kind: 'link', content: null, executable: false }),
          ]),
      ],
      [
        'an executable link',
        'only_file_versions_are_executable',
        (t) =>
          t.insertVersions([
            version('file', {
              versionId: id('v2'),
              kind: 'link',
              content: null,
              target: 'x',
              executable: true,
            }),
          ]),
      ],
      [
        'a version of another kind',
        'entries_to_versions',
        async (t) => {
          await t.insertEntries([file('x', ROOT, { kind: 'link', executable: false })]);
          await t.insertVersions([version('x')]);
        },
      ],
      [
        'a space that goes back',
        'spaces_go_forward',
        async (t) => {
          await append(t, [journalRow(1)]);
          await t.advanceSpace(SPACE, 0, GENESIS);
        },
      ],
      ['an advance of no space', 'space_exists', (t) => t.advanceSpace(id('none'), 1, GENESIS)],
      [
        'a space that starts with a journal',
        'spaces_start_at_zero',
        (t) =>
          t.insertSpace({
            spaceId: id('s'),
            kind: 'personal',
            ownerId: USER,
            rootId: id('r'),
            sequence: 1,
            journalHash: GENESIS,
            createdAt: 1,
          }),
      ],
      [
        'a space of nobody',
        'members_to_users,spaces_to_users',
        (t) =>
          t.insertSpace({
            spaceId: id('s'),
            kind: 'personal',
            ownerId: id('none'),
            rootId: id('r'),
            sequence: 0,
            journalHash: GENESIS,
            createdAt: 1,
          }),
      ],
      [
        'a chunk that covers more than itself',
        'chunks_cover_themselves',
        (t) => t.insertBlocks([{ ...chunk(5), coveredBytes: 11 }], NEW_BLOCKS),
      ],
      [
        'a reference from no space',
        'block_references_to_spaces',
        async (t) => {
          await t.insertBlocks([chunk(5)], NEW_BLOCKS);
          await t.addReferences(id('none'), [blockId(5)]);
        },
      ],
      [
        'a lease to nobody',
        'block_leases_to_users',
        async (t) => {
          await t.insertBlocks([chunk(5)], NEW_BLOCKS);
          await t.leaseBlocks(id('none'), [blockId(5)], 1);
        },
      ],
      [
        'a changeset of no space',
        'changesets_to_spaces',
        (t) =>
          t.insertChangeset({
            spaceId: id('none'),
            changesetId: id<never>('c'),
            requestHash: 'h',
            result: {
              changesetId: id<never>('c'),
              sequence: 0,
              journal: { before: '', after: '' },
              results: [],
            },
            committedAt: 1,
          }),
      ],
      [
        'a refresh token of no device',
        'refresh_tokens_to_devices',
        (t) =>
          t.insertRefreshToken({
            tokenHash: 't',
            deviceId: id('none'),
            state: 'current',
            issuedAt: 1,
            expiresAt: 2,
          }),
      ],
      [
        'a part of no upload',
        'upload_parts_to_uploads',
        (t) => t.putUploadPart({ uploadId: id<never>('none'), partNumber: 0, parts: [] }),
      ],
      ['a password of no user', 'user_exists', (t) => t.setPasswordHash(id('none'), 'x')],
      ['a change of no device', 'device_exists', (t) => t.updateDevice(id('none'), { name: 'x' })],
      ['a state of no refresh token', 'refresh_token_exists', (t) => t.setRefreshTokenState('none', 'dead')],
    ];

    it.each(attempts)('%s (%s)', async (_what, rule, attempt) => {
      const store = getStore();
      await store.transact(async (transaction) => {
        await addAccount(transaction, 'other', OTHER);
        await transaction.insertEntries([folder('a'), folder('b', id('a'))]);
        await transaction.insertEntries([folder('gone'), folder('inner', id('gone'))]);
        await transaction.insertEntries([folder('late', ROOT, { sequence: 5 }), file('file', id('a'))]);
        await transaction.insertVersions([version('file')]);
        await transaction.trashSubtree(trashRecord('gone'));
      });
      const dump = (): Promise<unknown> =>
        store.read(async (reader) => [
          await reader.listSubtree(SPACE, ROOT),
          await reader.listSubtree(SPACE, id('gone')),
          await reader.listTrash(SPACE, 10, 0),
          await reader.getSpace(SPACE),
          await reader.readJournal(SPACE, 0, 10),
          await reader.countAll(),
        ]);
      const before = await dump();
      const refusal = await store.transact(attempt).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refusal).toBeInstanceOf(InvalidStateError);
      // Exactly this rule: a case that is refused for another reason proves nothing about its own.
      expect((refusal as InvalidStateError).rules.join()).toBe(rule);
      expect(await dump()).toEqual(before);
      // The store goes on as if nothing had happened.
      await store.transact((transaction) => transaction.insertEntries([folder('after')]));
    });
  });
}
