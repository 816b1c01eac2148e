import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { parseVersion } from '../two-devices/peers/find-version.ts';
import { createWire, parseLoopbackBytes, subtractWire } from './network.ts';

const DEVICES = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 17196299118  430496    0    0    0     0          0         0 17196299118  430496    0    0
  eth0:     512       4    0    0    0     0          0         0      512       4    0    0
`;

test('the loopback interface is found among others', () => {
  expect(parseLoopbackBytes(DEVICES)).toBe(17196299118);
  expect(() => parseLoopbackBytes('eth0: 1 2')).toThrow(/no loopback/);
});

test('proxies count each hop by itself, in both directions', async () => {
  const server = createServer((socket) => socket.on('data', () => socket.end('four')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire = createWire('proxy');
  const before = wire.read();
  const port = await wire.connect('b', (server.address() as AddressInfo).port);
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('question');
  socket.resume();
  await once(socket, 'close');
  await expect
    .poll(() => subtractWire(wire.read(), before))
    .toEqual({ bothHopsBytes: 12, hops: { a: { up: 0, down: 0 }, b: { up: 8, down: 4 } } });
  await wire.close();
  server.close();
});

test('where nothing counts, nothing is said', () => {
  const wire = createWire('none');
  expect(subtractWire(wire.read(), wire.read())).toBeNull();
});

test.each([
  ['rsync  version 3.2.7  protocol version 32', '3.2.7'],
  ['rclone v1.60.1-DEV\n- os/version: debian 12.11', '1.60.1-DEV'],
  ['unison version 2.52.1 (ocaml 4.13.1)', '2.52.1'],
  ['syncthing v1.19.2-ds1 "Fermium Flea" (go1.19.8 linux-amd64)', '1.19.2-ds1'],
  ['nothing to be seen', 'of unknown version'],
])('%s', (words, version) => {
  expect(parseVersion(words)).toBe(version);
});
