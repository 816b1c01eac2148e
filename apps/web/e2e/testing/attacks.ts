import { randomBytes } from 'node:crypto';
import { createId } from '@cairn/model';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { OtherDevice } from './other-device.ts';

/** Tells the test, leaves something in the app's storage, and acts for who is signed in. As an attribute's value it needs no quotes. */
export const ATTACK =
  "try{hacked(location.href)}catch{}try{localStorage.hacked=1}catch{}fetch('/api/v1/folders',{method:'POST'," +
  "headers:{'content-type':'application/json','x-cairn-request':'web'},body:JSON.stringify({path:'/hacked'})})";

export interface Watch {
  /** Nothing of what was stored ran, was fetched from elsewhere, or acted. */
  expectNothing(page: Page): Promise<void>;
}

/** Watches all pages and frames of a browser for scripts that should not run and addresses that should not be asked. */
export async function watchForAttacks(
  context: BrowserContext,
  origin: string,
  other: OtherDevice,
): Promise<Watch> {
  const ran: string[] = [];
  const foreign: string[] = [];
  await context.exposeFunction('hacked', (where: unknown) => {
    ran.push(String(where));
  });
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(blob|data|about|chrome|chrome-extension):/.test(url))
      foreign.push(url);
    // What an image or script of a name would ask for.
    if (/\/hacked/.test(url)) foreign.push(url);
  });
  return {
    async expectNothing(page) {
      expect(ran, 'scripts that ran').toEqual([]);
      expect(foreign, 'addresses that were asked').toEqual([]);
      expect(await page.evaluate(() => localStorage.getItem('hacked'))).toBeNull();
      const made = await page.evaluate(
        () => document.querySelectorAll('[onerror], [onload], [src*=hacked]').length,
      );
      expect(made, 'elements made of names or contents').toBe(0);
      expect(await other.names()).not.toContain('hacked');
    },
  };
}

/** Another device's saved change that was made without knowing of the newest one. */
export async function makeConflict(other: OtherDevice, path: string, deviceName: string): Promise<string> {
  const me = (await (await other.ask('GET', '/me')).json()) as {
    spaces: { spaceId: string; rootId: string }[];
  };
  const space = me.spaces[0] as { spaceId: string; rootId: string };
  const original = await other.put(path, 'theirs\n');
  const mine = await other.put('/mine.tmp', 'mine\n');
  const snapshot = (await (await other.ask('GET', `/spaces/${space.spaceId}/snapshot`)).json()) as {
    entries: { entryId: string; sequence: number; [field: string]: unknown }[];
  };
  const find = (id: string) => snapshot.entries.find(({ entryId }) => entryId === id);
  const { content, modifiedAtUs, executable } = find(mine.entryId) as Record<string, unknown>;
  const copyName = `copy of ${path.slice(1)}`;
  await other.ask('POST', `/spaces/${space.spaceId}/changesets`, {
    changesetId: newId(),
    changes: [
      {
        kind: 'create',
        entryId: newId(),
        parentId: space.rootId,
        name: copyName,
        entry: {
          kind: 'file',
          content,
          modifiedAtUs,
          executable,
          conflictOf: {
            entryId: original.entryId,
            baseSequence: find(original.entryId)?.sequence ?? 0,
            deviceName,
            at: Date.now(),
          },
        },
      },
    ],
  });
  await other.ask('DELETE', `/files/${mine.entryId}`);
  return copyName;
}

function newId(): string {
  return createId<string>(randomBytes(16));
}
