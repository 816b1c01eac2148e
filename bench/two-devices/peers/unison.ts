import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, waitForPort } from '../../world/child-processes.ts';
import { findFreePort } from '../../world/counting-proxy.ts';
import { findVersion } from './find-version.ts';
import { createOneShotPeer, makePlaces } from './one-shot.ts';
import type { PeerKind } from './peer.ts';

export const unison: PeerKind = {
  name: 'unison',
  description:
    'a socket server; one run between A and the server, then one between the server and B. No watcher, no flush to disk, no encryption',
  findVersion: () => findVersion('unison', '-version'),
  refuse: (step) => (step === 'rest' ? 'nothing runs on a device between two runs' : null),
  async start(setting) {
    const places = makePlaces(setting.work);
    const port = await findFreePort();
    const memory = (name: string) => {
      const path = join(setting.work, `archives-${name}`);
      mkdirSync(path);
      return { UNISON: path, HOME: path };
    };
    const server = startProgram('unison', ['-socket', String(port), '-listen', '127.0.0.1'], {
      variables: memory('server'),
      logPath: places.logPath,
    });
    setting.defer(() => server.stop());
    await waitForPort(port, server);
    const devices = {
      a: { folder: places.folderA, port: await setting.wire.connect('a', port), variables: memory('a') },
      b: { folder: places.folderB, port: await setting.wire.connect('b', port), variables: memory('b') },
    };
    return createOneShotPeer('unison', places, setting, server, (device) => {
      const { folder, port: through, variables } = devices[device];
      const remote = `socket://127.0.0.1:${through}/${places.folderServer}`;
      const words = [folder, remote, '-ui', 'text', '-batch', '-silent', '-confirmbigdel=false', '-times'];
      return { words, variables };
    });
  },
};
