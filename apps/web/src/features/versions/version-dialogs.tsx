import type { EntryId } from '@cairn/model';
import type { VersionObject } from '@cairn/protocol';
import { Download, RotateCcw } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { formatDateTime } from '../../ui/format.ts';
import { Comparison } from './compare/comparison-view.tsx';
import type { ContentRef } from './compare/read-text.ts';
import { DownloadLink } from './download-link.tsx';
import { t } from './strings.ts';
import { VersionPreview } from './version-preview.tsx';
import { versionUrl } from './versions-data.ts';

/** A version as what reads and compares contents takes it. */
export function contentOf(entryId: EntryId, version: VersionObject): ContentRef {
  const { versionId, sizeBytes, target } = version;
  return { entryId, versionId, sizeBytes, target };
}

interface VersionDialogProps {
  readonly entryId: EntryId;
  readonly name: string;
  readonly isBusy: boolean;
  readonly onRestore: () => void;
  readonly onClose: () => void;
}

export function PreviewDialog(
  props: VersionDialogProps & { readonly version: VersionObject; readonly isCurrent: boolean },
) {
  const { entryId, name, version, isCurrent } = props;
  const at = formatDateTime(version.committedAt);
  return (
    <Dialog
      title={t('previewTitle', { name, at })}
      description={t('savedBy', { device: version.deviceName })}
      size="large"
      onClose={props.onClose}
      actions={
        <>
          {version.target === null && (
            <DownloadLink href={versionUrl(entryId, version.versionId)} icon={Download} className="h-9.5">
              {t('download')}
            </DownloadLink>
          )}
          {!isCurrent && (
            <Button look="primary" icon={RotateCcw} busy={props.isBusy} onClick={props.onRestore}>
              {t('restore')}
            </Button>
          )}
        </>
      }
    >
      <VersionPreview name={name} content={contentOf(entryId, version)} at={at} />
    </Dialog>
  );
}

export function CompareDialog(
  props: VersionDialogProps & { readonly older: VersionObject; readonly newer: VersionObject },
) {
  const { entryId, name, older, newer } = props;
  const [olderName, newerName] = [older, newer].map(
    (version) => `${formatDateTime(version.committedAt)} · ${version.deviceName}`,
  );
  return (
    <Dialog
      title={t('compareTitle', { name })}
      description={t('compareDescription', {
        older: formatDateTime(older.committedAt),
        newer: formatDateTime(newer.committedAt),
      })}
      size="large"
      onClose={props.onClose}
      actions={
        <Button look="primary" icon={RotateCcw} busy={props.isBusy} onClick={props.onRestore}>
          {t('restoreOlder')}
        </Button>
      }
    >
      <Comparison
        older={contentOf(entryId, older)}
        newer={contentOf(entryId, newer)}
        olderName={olderName ?? ''}
        newerName={newerName ?? ''}
      />
    </Dialog>
  );
}
