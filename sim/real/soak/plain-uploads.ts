import type { Client } from '@cairn/client';
import { CairnError, type ErrorCode, isCairnError } from '@cairn/model';
import { type UploadResponse, uploadResponseSchema } from '@cairn/protocol';
import type { SoakContent } from './soak-contents.ts';

/** What scripts use instead of our own protocol of blocks. All throw CairnError. */
export interface PlainUploads {
  put(path: string, bytes: Uint8Array): Promise<void>;
  begin(path: string, content: SoakContent): Promise<UploadResponse>;
  sendParts(upload: UploadResponse, bytes: Uint8Array): Promise<void>;
  complete(upload: UploadResponse): Promise<void>;
}

const BYTES = 'application/octet-stream';

export function createPlainUploads(client: Client): PlainUploads {
  async function send(
    method: 'PUT' | 'POST',
    path: string,
    type: string,
    body: Uint8Array,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const { accessToken } = await client.session();
      const response = await client.transport.request({
        method,
        path: `/api/v1${path}`,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': type },
        body: [body],
        freshConnection: true,
      });
      let text = '';
      const decoder = new TextDecoder();
      for await (const piece of response.body) text += decoder.decode(piece, { stream: true });
      if (response.status < 300) return text === '' ? null : JSON.parse(text);
      const { code, detail } = JSON.parse(text) as { code: ErrorCode; detail: string };
      const error = new CairnError(code, `${method} ${path}: ${detail}`);
      if (!isCairnError(error, 'token-expired') || attempt > 2) throw error;
      // The client renews what it finds refused.
      await client.account.me();
    }
  }

  const sendJson = (path: string, value: unknown) =>
    send('POST', path, 'application/json', new TextEncoder().encode(JSON.stringify(value)));

  return {
    async put(path, bytes) {
      await send('PUT', `/files/content?path=${encodeURIComponent(path)}`, BYTES, bytes);
    },
    async begin(path, { hash, sizeBytes }) {
      return uploadResponseSchema.parse(await sendJson('/uploads', { path, sizeBytes, sha256: hash }));
    },
    async sendParts({ uploadId, partBytes, missingParts }, bytes) {
      for (const part of missingParts) {
        const from = (part - 1) * partBytes;
        await send(
          'PUT',
          `/uploads/${uploadId}/parts/${part}`,
          BYTES,
          bytes.subarray(from, from + partBytes),
        );
      }
    },
    async complete({ uploadId }) {
      await sendJson(`/uploads/${uploadId}/complete`, {});
    },
  };
}
