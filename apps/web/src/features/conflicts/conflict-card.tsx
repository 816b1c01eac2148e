import { isCairnError } from '@cairn/model';
import type { ConflictObject } from '@cairn/protocol';
import { Check, CopyCheck, FolderOpen, GitCompareArrows } from 'lucide-react';
import { useId, useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { parentPath } from '../../api/paths.ts';
import { refreshLiveQueries } from '../../api/query-client.ts';
import { useConnection } from '../../api/use-connection.ts';
import { useAccount } from '../../api/use-session.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { formatDateTime } from '../../ui/format.ts';
import { KindIcon } from '../../ui/kind-icon.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { showToast } from '../../ui/toast-store.ts';
import { Comparison } from '../versions/compare/comparison-view.tsx';
import { MAX_TEXT_BYTES } from '../versions/compare/read-text.ts';
import { contentOf } from '../versions/version-dialogs.tsx';
import { looksLikePicture } from '../versions/version-preview.tsx';
import { ConflictSideView } from './conflict-side.tsx';
import { type Keep, resolveConflict, undoResolve } from './conflicts-data.ts';
import { t } from './strings.ts';

/** One conflict: both sides next to each other, what differs, and the decision. */
export function ConflictCard({ conflict }: { readonly conflict: ConflictObject }) {
  const { copy, original } = conflict;
  const { spaceId } = useAccount();
  const connection = useConnection();
  const isOffline = connection === 'offline' || connection === 'unreachable';
  const titleId = useId();
  const [isComparing, setIsComparing] = useState(false);
  const [busy, setBusy] = useState<Keep | null>(null);
  const shown = original ?? copy;
  const folder = parentPath(shown.entry.path);
  const isPicture = looksLikePicture(shown.entry.name);
  const isSame =
    original !== null &&
    original.version.contentId === copy.version.contentId &&
    copy.version.contentId !== null;
  const canCompare =
    original !== null &&
    !isPicture &&
    !isSame &&
    Math.max(original.version.sizeBytes, copy.version.sizeBytes) <= MAX_TEXT_BYTES;

  async function decide(keep: Keep): Promise<void> {
    setBusy(keep);
    try {
      await resolveConflict(spaceId, conflict, keep);
      const key = keep === 'both' ? 'keptBoth' : keep === 'mine' ? 'keptMine' : 'keptTheirs';
      const name = keep === 'both' ? copy.entry.name : shown.entry.name;
      showToast(t(key, { name }), {
        tone: 'good',
        ...(keep === 'both'
          ? {}
          : { action: { label: common('common.undo'), onSelect: () => void undo(conflict, keep) } }),
      });
    } catch (error) {
      const isStale = isCairnError(error, 'precondition-failed');
      showToast(isStale ? t('changedMeanwhile') : sayError(error), { tone: 'danger' });
      if (isStale) refreshLiveQueries();
    } finally {
      setBusy(null);
    }
  }

  return (
    <article aria-labelledby={titleId} className="rounded-xl border border-line bg-surface">
      <header className="flex items-center gap-3 px-4 pt-3.5 pb-3">
        <KindIcon kind={shown.entry.kind} />
        <div className="min-w-0 flex-1">
          <h2 id={titleId} className="break-words font-semibold">
            {shownName(shown.entry.name)}
          </h2>
          <FolderLink
            path={folder}
            className="inline-flex max-w-full items-center gap-1.5 text-quiet text-sm hover:underline"
          >
            <FolderOpen aria-hidden className="size-3.5 shrink-0" />
            <span className="sr-only">{t('openFolder')} </span>
            <span className="truncate">{folder === '/' ? t('topFolder') : shownName(folder)}</span>
          </FolderLink>
        </div>
      </header>
      {original === null && (
        <p className="mx-4 mb-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">{t('gone')}</p>
      )}
      {isSame && (
        <p className="mx-4 mb-3 rounded-lg bg-good-soft px-3 py-2 text-good text-sm">{t('sameContent')}</p>
      )}
      <div className="grid gap-px border-line border-y bg-line sm:grid-cols-2">
        {original !== null && (
          <ConflictSideView
            title={t('original')}
            hint={t('originalHint')}
            side={original}
            other={copy}
            showsPicture={isPicture}
          />
        )}
        <ConflictSideView
          title={t('copy')}
          hint={shownName(copy.entry.name)}
          side={copy}
          other={original}
          showsPicture={isPicture}
        />
      </div>
      {canCompare && (
        <div className="border-line border-b px-4 py-2">
          <Button
            small
            look="quiet"
            icon={GitCompareArrows}
            aria-expanded={isComparing}
            onClick={() => setIsComparing(!isComparing)}
          >
            {isComparing ? t('hideComparison') : t('compare')}
          </Button>
          {isComparing && original !== null && (
            <div className="pt-2 pb-2">
              <Comparison
                older={contentOf(original.entry.entryId, original.version)}
                newer={contentOf(copy.entry.entryId, copy.version)}
                olderName={`${t('original')} · ${original.version.deviceName} · ${formatDateTime(original.version.committedAt)}`}
                newerName={`${t('copy')} · ${conflict.conflictOf.deviceName} · ${formatDateTime(copy.version.committedAt)}`}
              />
            </div>
          )}
        </div>
      )}
      <fieldset className="grid gap-3 px-4 py-3.5 sm:grid-cols-3">
        <legend className="sr-only">{t('choose', { name: shown.entry.name })}</legend>
        {original !== null && <Choice keep="theirs" busy={busy} isOffline={isOffline} onDecide={decide} />}
        {original !== null && original.entry.kind === copy.entry.kind && (
          <Choice keep="mine" busy={busy} isOffline={isOffline} onDecide={decide} />
        )}
        <Choice keep="both" busy={busy} isOffline={isOffline} onDecide={decide} />
      </fieldset>
      {original !== null && original.entry.kind !== copy.entry.kind && (
        <p className="px-4 pb-3.5 text-quiet text-sm">{t('otherKinds')}</p>
      )}
    </article>
  );
}

const CHOICES = {
  theirs: { label: t('keepTheirs'), hint: t('keepTheirsHint'), icon: Check },
  mine: { label: t('keepMine'), hint: t('keepMineHint'), icon: Check },
  both: { label: t('keepBoth'), hint: t('keepBothHint'), icon: CopyCheck },
} as const;

interface ChoiceProps {
  readonly keep: Keep;
  readonly busy: Keep | null;
  readonly isOffline: boolean;
  readonly onDecide: (keep: Keep) => Promise<void>;
}

function Choice({ keep, busy, isOffline, onDecide }: ChoiceProps) {
  const { label, hint, icon } = CHOICES[keep];
  const hintId = useId();
  return (
    <div className="flex flex-col gap-1">
      <Button
        icon={icon}
        busy={busy === keep}
        disabled={isOffline || busy !== null}
        aria-describedby={hintId}
        onClick={() => void onDecide(keep)}
      >
        {label}
      </Button>
      <p id={hintId} className="text-quiet text-xs sm:text-center">
        {hint}
      </p>
    </div>
  );
}

async function undo(conflict: ConflictObject, keep: Keep): Promise<void> {
  try {
    await undoResolve(conflict, keep);
    showToast(t('undone'));
  } catch (error) {
    showToast(t('undoFailed', { reason: sayError(error) }), { tone: 'danger' });
  }
}
