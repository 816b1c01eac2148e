import { collectDropped, pickFiles, pickFolder } from '../../transfers/collect.ts';
import { continueWith, continueWithPermission, type UploadsView } from '../../transfers/queue.ts';
import type { DroppedItem } from '../../transfers/upload-types.ts';
import { Button } from '../../ui/button.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { t } from './strings.ts';

const MAX_NAMES = 3;

function giveFiles(files: readonly DroppedItem[]): void {
  if (files.length === 0) return;
  const { found, changed } = continueWith(files);
  if (changed.length > 0) {
    const names = changed.slice(0, MAX_NAMES).join(', ') + (changed.length > MAX_NAMES ? ' …' : '');
    showToast(t('changedSince', { count: changed.length, names }), { tone: 'danger' });
  } else if (found === 0) {
    showToast(t('noneFound'), { tone: 'danger' });
  }
}

/** What a reload stopped, and how it goes on. */
export function StoppedUploads({ summary }: { readonly summary: UploadsView['summary'] }) {
  const needsFile = summary.counts['needs-file'];
  const needsPermission = summary.counts['needs-permission'];
  if (needsFile + needsPermission === 0) return null;
  return (
    <section
      aria-label={t('stoppedTitle')}
      className="border-line border-b bg-warn-soft px-4 py-3"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void collectDropped(event.dataTransfer).then(giveFiles);
      }}
    >
      <p className="font-medium text-sm">
        {t('waitingForFiles', { count: needsFile + needsPermission })} —{' '}
        {needsPermission > 0 ? t('stateNeedsPermission') : t('stateNeedsFile')}
      </p>
      <p className="mt-0.5 text-quiet text-xs">{t('stoppedHint')}</p>
      <div className="mt-2 flex flex-wrap gap-2">
        {needsPermission > 0 ? (
          <Button small look="primary" onClick={() => void continueWithPermission()}>
            {t('allow')}
          </Button>
        ) : (
          <>
            <Button small look="primary" onClick={() => void pickFiles().then(giveFiles)}>
              {t('choose')}
            </Button>
            <Button small onClick={() => void pickFolder().then(giveFiles)}>
              {t('chooseFolder')}
            </Button>
          </>
        )}
      </div>
    </section>
  );
}
