import type { ClusterResponse } from '@cairn/protocol';
import { Boxes } from 'lucide-react';
import type { ReactNode } from 'react';
import { formatBytes, formatDuration, formatRelative } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { Dot } from './dot.tsx';
import { useCluster } from './health-data.ts';
import { describeNode, type StorageNode } from './node-states.ts';
import { t } from './strings.ts';

const SILENT_MS = 30_000;
const NEARLY_FULL = 0.85;

/** Storage nodes, how blocks are replicated over them, and what is being repaired. */
export function NodesCards() {
  const cluster = useCluster();
  if (cluster.data === undefined) {
    return (
      <Card title={t('nodes')}>
        {cluster.error === null ? (
          <SkeletonRows count={3} />
        ) : (
          <ErrorState error={cluster.error} onRetry={() => void cluster.refetch()} />
        )}
      </Card>
    );
  }
  const { mode, nodes, repair } = cluster.data;
  if (mode === 'folder') {
    return (
      <Card title={t('nodes')}>
        <div className="flex items-start gap-3 px-4 pt-1 pb-4 text-quiet">
          <Boxes aria-hidden className="mt-0.5 size-5.5 shrink-0" strokeWidth={1.6} />
          <p>{t('noCluster')}</p>
        </div>
      </Card>
    );
  }
  return (
    <>
      <Card title={t('nodes')}>
        {nodes.length === 0 ? (
          <p className="px-4 pt-1 pb-4 text-quiet">{t('noNodes')}</p>
        ) : (
          <ul aria-label={t('nodesLabel')} className="divide-y divide-line pb-1">
            {nodes.map((node) => (
              <NodeRow key={node.nodeId} node={node} />
            ))}
          </ul>
        )}
      </Card>
      <div className="grid gap-4 sm:grid-cols-2">
        <ReplicationCard cluster={cluster.data} />
        {repair !== null && <RepairCard repair={repair} />}
      </div>
    </>
  );
}

function NodeRow({ node }: { readonly node: StorageNode }) {
  const { light, word } = describeNode(node);
  const whole = node.capacityBytes ?? node.totalBytes;
  const share = node.diskBytes === null || whole === null || whole === 0 ? null : node.diskBytes / whole;
  const notes = [
    node.zone === '' ? null : t('zone', { zone: node.zone }),
    node.blocks === null ? null : t('blocks', { count: node.blocks }),
    node.silentMs !== null && node.silentMs > SILENT_MS
      ? t('silent', { duration: formatDuration(node.silentMs) })
      : null,
    node.quarantinedRecords !== null && node.quarantinedRecords > 0
      ? t('quarantined', { count: node.quarantinedRecords })
      : null,
  ];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex items-center gap-2">
          <Dot light={light} />
          <span className="min-w-0 truncate font-medium">{node.address}</span>
          <span className="sr-only">, {t(`tone.${light}`)}:</span>
          <span className="shrink-0 text-sm">{t(`state.${word}`)}</span>
        </p>
        <p className="break-words pl-4.5 text-quiet text-sm">
          {notes.filter((note) => note !== null).join(' · ')}
        </p>
        {node.reason !== null && <p className="break-words pl-4.5 text-sm text-warn">{node.reason}</p>}
      </div>
      {node.diskBytes !== null && (
        <div className="w-44 shrink-0">
          <p className="mb-1 text-right text-quiet text-sm tabular-nums">
            {whole === null
              ? formatBytes(node.diskBytes)
              : t('ofCapacity', { used: formatBytes(node.diskBytes), capacity: formatBytes(whole) })}
          </p>
          {share !== null && (
            <ProgressBar
              value={share}
              label={t('nodeUse', { address: node.address })}
              tone={node.isFull ? 'danger' : share > NEARLY_FULL ? 'warn' : 'accent'}
            />
          )}
        </div>
      )}
    </li>
  );
}

function ReplicationCard({ cluster }: { readonly cluster: ClusterResponse }) {
  const { replicas, writeQuorum, takesWrites, coding } = cluster;
  return (
    <Card title={t('replication')}>
      <div className="flex flex-col gap-2 px-4 pt-1 pb-4">
        <p className="flex items-center gap-2">
          <Dot light={takesWrites ? 'good' : 'danger'} />
          {takesWrites ? t('takesWrites') : t('noWrites')}
        </p>
        <p className="text-quiet text-sm">{t('replicasOf', { replicas, quorum: writeQuorum })}</p>
        {coding !== null && (
          <p className="text-quiet text-sm">
            {coding.isPossible
              ? t('coding', { duration: formatDuration(coding.afterMs) })
              : t('codingImpossible')}
          </p>
        )}
      </div>
    </Card>
  );
}

function RepairCard({ repair }: { readonly repair: NonNullable<ClusterResponse['repair']> }) {
  const light = repair.lost > 0 ? 'danger' : repair.waiting + repair.unavailable > 0 ? 'warn' : 'good';
  const when =
    repair.lastRunAt === null
      ? t('repair.never')
      : t('repair.lastRun', { when: formatRelative(repair.lastRunAt) });
  return (
    <Card title={t('repair')}>
      <div className="flex flex-col gap-2 px-4 pt-1 pb-4">
        <p className="flex items-center gap-2">
          <Dot light={light} />
          {repair.isRunning ? t('repair.running') : t('repair.rests')}
          <span className="text-quiet text-sm">{when}</span>
        </p>
        <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-sm">
          <Figure name={t('repair.waiting')}>{repair.waiting}</Figure>
          <Figure name={t('repair.underReplicated')}>{repair.underReplicated}</Figure>
          <Figure name={t('repair.repaired')}>{repair.repaired}</Figure>
          <Figure name={t('repair.checked')}>{repair.checkedBlocks}</Figure>
          {repair.unavailable > 0 && <Figure name={t('repair.unavailable')}>{repair.unavailable}</Figure>}
          {repair.lost > 0 && <Figure name={t('repair.lost')}>{repair.lost}</Figure>}
        </dl>
      </div>
    </Card>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-2 border-line border-t pt-1">
      <dt className="text-quiet">{name}</dt>
      <dd className="font-medium tabular-nums">{children}</dd>
    </div>
  );
}
