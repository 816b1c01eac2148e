import type { Transport } from '@cairn/client/browser';
import { isCairnError } from '@cairn/model';

/** The transport, telling of each request whether there was an answer. */
export function tellAnswers(transport: Transport, tell: (hasAnswer: boolean) => void): Transport {
  return {
    ...transport,
    async request(asked) {
      try {
        const response = await transport.request(asked);
        tell(true);
        return response;
      } catch (error) {
        if (isCairnError(error, 'server-unreachable')) tell(false);
        throw error;
      }
    },
    get sentBytes() {
      return transport.sentBytes;
    },
    get receivedBytes() {
      return transport.receivedBytes;
    },
  };
}
