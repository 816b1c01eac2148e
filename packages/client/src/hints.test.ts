import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment, type Environment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Client } from './client.ts';
import { createSignedInClient, SIGNED_IN_ID } from './testing/signed-in-client.ts';

/** Time runs a hundred times faster, so that polling and reconnecting are seen. */
function quickEnvironment(): Environment {
  const system = createSystemEnvironment();
  return {
    ...system,
    timers: {
      sleep: (durationMs, signal) => system.timers.sleep(durationMs / 100, signal),
      schedule: (durationMs, callback) => system.timers.schedule(durationMs / 100, callback),
    },
  };
}

describe('hints', () => {
  let server: Server;
  let sockets: WebSocketServer;
  let accepts: boolean;
  let client: Client;
  let hints: (number | null)[];
  let states: string[];
  let following: { close(): void };

  beforeEach(async () => {
    accepts = true;
    hints = [];
    states = [];
    sockets = new WebSocketServer({ noServer: true });
    server = createServer((_request, response) => response.writeHead(500).end());
    server.on('upgrade', (request, socket, head) => {
      if (!accepts || request.headers.authorization !== 'Bearer a') socket.destroy();
      else sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = createSignedInClient(serverUrl, createNodePlatform(), quickEnvironment());
  });
  afterEach(async () => {
    following.close();
    client.close();
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function follow(): Promise<void> {
    following = (await client.personalSpace()).hints(
      (sequence) => hints.push(sequence),
      (state) => states.push(state),
    );
  }

  function only(): WebSocket {
    const [socket] = sockets.clients;
    if (socket === undefined) throw new Error('nobody is connected');
    return socket as unknown as WebSocket;
  }

  it('come over the socket, those of other spaces and unknown messages left out', async () => {
    await follow();
    await vi.waitFor(() => expect(states).toEqual(['live']));
    expect(hints).toEqual([null]);
    for (const message of [
      { type: 'hint', spaceId: 'e'.repeat(26), sequence: 5 },
      { type: 'weather', sequence: 6 },
      { type: 'hint', spaceId: SIGNED_IN_ID, sequence: 7 },
    ]) {
      only().send(JSON.stringify(message));
    }
    only().send('not JSON');
    await vi.waitFor(() => expect(hints).toEqual([null, 7]));
  });

  it('are replaced by polling while there is no socket, and come back', async () => {
    accepts = false;
    await follow();
    await vi.waitFor(() => expect(hints.length).toBeGreaterThan(2), { timeout: 5000 });
    expect(states).toEqual(['polling']);
    expect(new Set(hints)).toEqual(new Set([null]));
    accepts = true;
    await vi.waitFor(() => expect(states).toEqual(['polling', 'live']), { timeout: 5000 });
  });

  it('reconnect when the peer falls silent', async () => {
    await follow();
    await vi.waitFor(() => expect(states).toEqual(['live']));
    const first = only();
    await vi.waitFor(() => expect(states.slice(0, 3)).toEqual(['live', 'polling', 'live']), {
      timeout: 5000,
    });
    expect(first.readyState).not.toBe(first.OPEN);
  });

  it('end with close', async () => {
    await follow();
    await vi.waitFor(() => expect(states).toEqual(['live']));
    following.close();
    await vi.waitFor(() => expect(sockets.clients.size).toBe(0));
    const count = hints.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(hints.length).toBe(count);
  });
});
