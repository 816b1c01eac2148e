import { startProgram, waitForPort } from '../../world/child-processes.ts';
import { findFreePort } from '../../world/counting-proxy.ts';
import { findVersion } from './find-version.ts';
import { createOneShotPeer, makePlaces } from './one-shot.ts';
import type { PeerKind } from './peer.ts';

const FEW_FILES = 500;

export const rclone: PeerKind = {
  name: 'rclone',
  description:
    'its own WebDAV server; rclone sync pushes from A to it, then pulls from it to B. No watcher, no flush to disk, no encryption',
  findVersion: () => findVersion('rclone', 'version'),
  mostFiles: FEW_FILES,
  refuse(step) {
    if (step === 'rest') return 'nothing runs on a device between two runs';
    if (['rename', 'delete', 'start'].includes(step))
      return 'its WebDAV takes about 20 ms for a file and hop: so many files would take most of an hour';
    return null;
  },
  async start(setting) {
    const places = makePlaces(setting.work);
    const port = await findFreePort();
    const settings = ['--config', `${setting.work}/rclone.conf`];
    const server = startProgram(
      'rclone',
      ['serve', 'webdav', places.folderServer, '--addr', `127.0.0.1:${port}`, ...settings],
      places,
    );
    setting.defer(() => server.stop());
    await waitForPort(port, server);
    const ports = {
      a: await setting.wire.connect('a', port),
      b: await setting.wire.connect('b', port),
    };
    return createOneShotPeer('rclone', places, setting, server, (device, keepsSize) => {
      const remote = [':webdav:', '--webdav-vendor', 'other', '--webdav-url'];
      const url = `http://127.0.0.1:${ports[device]}/`;
      const folders = device === 'a' ? [places.folderA, ...remote, url] : [...remote, url, places.folderB];
      const words = ['sync', ...folders, ...settings];
      if (!keepsSize) return { words };
      return {
        words: [...words, '--ignore-times'],
        note: 'with --ignore-times: over WebDAV it compares sizes only, and by default misses the change',
      };
    });
  },
};
