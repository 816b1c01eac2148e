import {
  accountUsageResponseSchema,
  capacityResponseSchema,
  clusterResponseSchema,
  devicesResponseSchema,
  drillsResponseSchema,
  type HealthResponse,
  healthResponseSchema,
  serverResponseSchema,
  usageResponseSchema,
  verificationResponseSchema,
} from '@cairn/protocol';
import { useQuery } from '@tanstack/react-query';
import { apiPath, ask } from '../../api/request.ts';

const SOON_MS = 10_000;
const LATER_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;
export const CAPACITY_DAYS = 30;

/** How the server says it is; `null` when it does not answer. A failing server answers too, with 503. */
async function readHealth(signal: AbortSignal): Promise<HealthResponse | null> {
  try {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch('/health', {
      cache: 'no-store',
      signal: AbortSignal.any([signal, timeout]),
    });
    return healthResponseSchema.parse(await response.json());
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

export function useHealth() {
  return useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: SOON_MS,
  });
}

export function useServer() {
  return useQuery({
    queryKey: ['server'],
    queryFn: ({ signal }) => ask('/server', serverResponseSchema, { signal }),
    refetchInterval: LATER_MS,
  });
}

/** What one's own space holds. */
export function useUsage() {
  return useQuery({
    queryKey: ['usage'],
    queryFn: ({ signal }) => ask('/usage', accountUsageResponseSchema, { signal }),
    meta: { live: true },
  });
}

export function useDeviceStates() {
  return useQuery({
    queryKey: ['devices'],
    queryFn: async ({ signal }) => (await ask('/devices', devicesResponseSchema, { signal })).devices,
    refetchInterval: SOON_MS,
    meta: { live: true },
  });
}

/** What is stored for everybody. The following ones are for administrators; for others they are not there. */
export function useServerUsage(enabled: boolean) {
  return useQuery({
    queryKey: ['admin', 'usage'],
    queryFn: ({ signal }) => ask('/admin/usage', usageResponseSchema, { signal }),
    refetchInterval: LATER_MS,
    enabled,
  });
}

export function useCluster() {
  return useQuery({
    queryKey: ['admin', 'nodes'],
    queryFn: ({ signal }) => ask('/admin/nodes', clusterResponseSchema, { signal }),
    refetchInterval: SOON_MS,
  });
}

export function useCapacity() {
  return useQuery({
    queryKey: ['admin', 'capacity'],
    queryFn: async ({ signal }) => {
      const path = apiPath`/admin/capacity?days=${CAPACITY_DAYS}`;
      return (await ask(path, capacityResponseSchema, { signal })).samples;
    },
    refetchInterval: LATER_MS,
  });
}

export function useDrills() {
  return useQuery({
    queryKey: ['admin', 'drills'],
    queryFn: async ({ signal }) => (await ask('/admin/drills', drillsResponseSchema, { signal })).drills,
    refetchInterval: LATER_MS,
  });
}

export function useVerification() {
  return useQuery({
    queryKey: ['admin', 'verification'],
    queryFn: ({ signal }) => ask('/admin/verification', verificationResponseSchema, { signal }),
    refetchInterval: LATER_MS,
  });
}
