import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, waitForPort } from '../../world/child-processes.ts';
import { findFreePort } from '../../world/counting-proxy.ts';
import { findVersion } from './find-version.ts';
import { createOneShotPeer, makePlaces } from './one-shot.ts';
import type { PeerKind } from './peer.ts';

export const rsync: PeerKind = {
  name: 'rsync',
  description:
    'a daemon on loopback; rsync -a --delete pushes from A to it, then pulls from it to B. No watcher, no flush to disk, no encryption',
  findVersion: () => findVersion('rsync', '--version'),
  refuse: (step) => (step === 'rest' ? 'nothing runs on a device between two runs' : null),
  async start(setting) {
    const places = makePlaces(setting.work);
    const port = await findFreePort();
    const configuration = join(setting.work, 'rsyncd.conf');
    const owner = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : '';
    writeFileSync(
      configuration,
      `${owner}use chroot = no\n[space]\npath = ${places.folderServer}\nread only = no\n`,
    );
    const server = startProgram(
      'rsync',
      ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${configuration}`],
      places,
    );
    setting.defer(() => server.stop());
    await waitForPort(port, server);
    const ports = {
      a: await setting.wire.connect('a', port),
      b: await setting.wire.connect('b', port),
    };
    return createOneShotPeer(
      'rsync',
      places,
      setting,
      server,
      (device) => {
        const remote = `rsync://127.0.0.1:${ports[device]}/space/`;
        const [from, to] = device === 'a' ? [`${places.folderA}/`, remote] : [remote, `${places.folderB}/`];
        return { words: ['-a', '--delete', from, to] };
      },
      true,
    );
  },
};
