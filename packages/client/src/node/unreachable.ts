import { CairnError } from '@cairn/model';

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

/** Turns an error of the network into `server-unreachable` with what to look at next. */
export function unreachable(serverUrl: string, error: unknown): CairnError {
  const systemCode = codeOf(error);
  return new CairnError('server-unreachable', `${explain(serverUrl, systemCode)}`, {
    cause: error,
    details: { serverUrl, systemCode },
  });
}

function explain(serverUrl: string, systemCode: string): string {
  if (systemCode === 'ECONNREFUSED') {
    return `nothing answers at ${serverUrl}. Start the server with "cairn serve", or check the address and port`;
  }
  if (systemCode === 'ENOTFOUND' || systemCode === 'EAI_AGAIN') {
    return `the host name in ${serverUrl} was not found. Check its spelling and your network connection`;
  }
  if (systemCode === 'ETIMEDOUT') {
    return `${serverUrl} did not answer in time. Check your network connection and whether the server is running`;
  }
  if (CERTIFICATE.test(systemCode)) {
    return `the certificate of ${serverUrl} could not be verified (${systemCode}). Check the address, or add the issuer with NODE_EXTRA_CA_CERTS`;
  }
  if (systemCode === 'EPROTO' || systemCode.startsWith('HPE_') || systemCode.startsWith('ERR_SSL')) {
    return `${serverUrl} does not speak the expected protocol (${systemCode}). Check http:// or https:// and the port`;
  }
  return `the connection to ${serverUrl} failed (${systemCode}). Check your network connection and try again`;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error) return ((error as NodeJS.ErrnoException).code ?? error.message) || error.name;
  return 'unknown';
}
