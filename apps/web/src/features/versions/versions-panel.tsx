import { type EntryId, isCairnError } from '@cairn/model';
import type { VersionObject } from '@cairn/protocol';
import { FileX, History } from 'lucide-react';
import { useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { t as common } from '../../strings/t.ts';
import { formatDateTime } from '../../ui/format.ts';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { t } from './strings.ts';
import { CompareDialog, PreviewDialog } from './version-dialogs.tsx';
import { VersionRow } from './version-row.tsx';
import { MAX_VERSIONS, revertTo, useVersions } from './versions-data.ts';

export interface VersionsPanelProps {
  readonly entryId: EntryId;
  readonly name: string;
}

type Open =
  | { readonly kind: 'preview'; readonly version: VersionObject }
  | { readonly kind: 'compare'; readonly older: VersionObject; readonly newer: VersionObject };

/** The history of a file: who saved what and when; look at it, compare, bring it back. */
export function VersionsPanel({ entryId, name }: VersionsPanelProps) {
  const { data: versions, error, refetch } = useVersions(entryId);
  const [open, setOpen] = useState<Open | null>(null);
  const [busyId, setBusyId] = useState<string | null>(null);

  async function restore(version: VersionObject, before: VersionObject | undefined): Promise<void> {
    setBusyId(version.versionId);
    try {
      await revertTo(entryId, version.versionId);
      setOpen(null);
      const undo = before === undefined ? undefined : () => void undoRestore(entryId, before);
      showToast(t('restored', { at: formatDateTime(version.committedAt) }), {
        tone: 'good',
        ...(undo === undefined ? {} : { action: { label: common('common.undo'), onSelect: undo } }),
      });
    } catch (failure) {
      showToast(sayError(failure), { tone: 'danger' });
    } finally {
      setBusyId(null);
    }
  }

  if (versions === undefined) {
    if (error === null) return <SkeletonRows count={5} />;
    if (isCairnError(error, 'not-found')) {
      return (
        <EmptyState icon={FileX} title={t('goneTitle')}>
          {t('gone')}
        </EmptyState>
      );
    }
    if (isCairnError(error, 'not-a-file')) {
      return (
        <EmptyState icon={History} title={t('folderTitle')}>
          {t('folder')}
        </EmptyState>
      );
    }
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  }
  const [current] = versions;
  return (
    <section aria-label={t('titleOf', { name })} className="flex flex-col gap-1">
      <p className="px-1 text-quiet text-sm">
        {versions.length === 1 ? t('onlyOne') : t('count', { count: versions.length })}
      </p>
      <ol aria-label={t('listLabel')} className="flex flex-col">
        {versions.map((version, index) => (
          <VersionRow
            key={version.versionId}
            entryId={entryId}
            version={version}
            current={current}
            before={versions[index + 1]}
            isBusy={busyId === version.versionId}
            isLast={index === versions.length - 1}
            onPreview={() => setOpen({ kind: 'preview', version })}
            onCompare={(older, newer) => setOpen({ kind: 'compare', older, newer })}
            onRestore={() => void restore(version, current)}
          />
        ))}
      </ol>
      {versions.length >= MAX_VERSIONS && (
        <p className="px-1 text-quiet text-sm">{t('limited', { count: MAX_VERSIONS })}</p>
      )}
      {open?.kind === 'preview' && (
        <PreviewDialog
          entryId={entryId}
          name={name}
          version={open.version}
          isCurrent={open.version.versionId === current?.versionId}
          isBusy={busyId !== null}
          onRestore={() => void restore(open.version, current)}
          onClose={() => setOpen(null)}
        />
      )}
      {open?.kind === 'compare' && (
        <CompareDialog
          entryId={entryId}
          name={name}
          older={open.older}
          newer={open.newer}
          isBusy={busyId !== null}
          onRestore={() => void restore(open.older, current)}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  );
}

async function undoRestore(entryId: EntryId, before: VersionObject): Promise<void> {
  try {
    await revertTo(entryId, before.versionId);
    showToast(t('undone'));
  } catch (failure) {
    showToast(t('undoFailed', { reason: sayError(failure) }), { tone: 'danger' });
  }
}
