import { useState } from 'react';
import { answerClash, listClashes } from '../../transfers/queue.ts';
import type { UploadItem } from '../../transfers/queue-state.ts';
import type { ClashPolicy } from '../../transfers/upload-types.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { formatBytes, formatDateTime } from '../../ui/format.ts';
import { nameOf } from './describe-uploads.ts';
import { t } from './strings.ts';

function describeClash(item: UploadItem): string {
  const { clash, lastModified, sizeBytes } = item;
  if (clash == null || clash.modifiedAtMs === null) return t('clashUnknown');
  return t('clashText', {
    at: formatDateTime(clash.modifiedAtMs),
    size: formatBytes(clash.sizeBytes),
    newAt: formatDateTime(lastModified),
    newSize: formatBytes(sizeBytes),
  });
}

/** Asks what to do about a name that is taken; one question after the other, or one answer for all. */
export function ClashDialog({ onClose }: { readonly onClose: () => void }) {
  const [forAll, setForAll] = useState(false);
  const clashes = listClashes();
  const [first] = clashes;
  if (first === undefined) return null;
  const more = clashes.length - 1;
  const answer = (policy: Exclude<ClashPolicy, 'ask'>): void => {
    const answered = forAll ? clashes : [first];
    answerClash(
      answered.map(({ id }) => id),
      policy,
    );
    if (answered.length === clashes.length) onClose();
  };
  return (
    <Dialog
      title={t('clashTitle', { name: nameOf(first.relativePath) })}
      description={describeClash(first)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={() => answer('skip')}>{t('clashSkip')}</Button>
          <Button onClick={() => answer('keep-both')}>{t('clashKeepBoth')}</Button>
          <Button look="primary" onClick={() => answer('replace')}>
            {t('clashReplace')}
          </Button>
        </>
      }
    >
      <p className="text-quiet text-sm">{t('clashHint')}</p>
      {more > 0 && (
        <label className="mt-3 flex items-center gap-2.5">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={forAll}
            onChange={(event) => setForAll(event.target.checked)}
          />
          {t('clashAll', { count: more })}
        </label>
      )}
    </Dialog>
  );
}
