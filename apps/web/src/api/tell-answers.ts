import type { Transport } from '@cairn/client/browser';
import { CairnError, isCairnError } from '@cairn/model';

/** What a proxy answers for a server that it does not reach. */
const GATEWAY_STATUS = [502, 503, 504];

/** The transport, telling of each request whether the server answered; a proxy's answer for it is none. */
export function tellAnswers(transport: Transport, tell: (hasAnswer: boolean) => void): Transport {
  return {
    ...transport,
    async request(asked) {
      try {
        const response = await transport.request(asked);
        const { status, headers } = response;
        if (GATEWAY_STATUS.includes(status) && !/json/.test(headers['content-type'] ?? '')) {
          response.discard();
          throw new CairnError('server-unreachable', 'the server cannot be reached', { details: { status } });
        }
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
