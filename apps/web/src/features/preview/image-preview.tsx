import { Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useLoadAgain } from '../../api/use-load-again.ts';
import { contentUrl, thumbnailUrl } from '../../transfers/download.ts';
import { classNames } from '../../ui/class-names.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { NoPreview } from './no-preview.tsx';
import { hasMadeImage, isNativeImage } from './preview-kind.ts';
import type { PreviewedFile } from './previewed-file.ts';
import { t } from './strings.ts';

/** Times the size that fits. */
const ZOOMS = [1, 1.5, 2, 3, 5, 8] as const;

type Source = 'made' | 'original' | 'broken';

/** An image: a smaller picture of it first, the original when somebody looks closer. */
export function ImagePreview({ file }: { readonly file: PreviewedFile }) {
  const canMake = hasMadeImage(file.name);
  const canShow = isNativeImage(file.name);
  const [zoom, setZoom] = useState(0);
  const [source, setSource] = useState<Source>(canMake ? 'made' : 'original');
  const frame = useRef<HTMLDivElement>(null);
  const factor = ZOOMS[zoom] ?? 1;

  useEffect(() => {
    // Details are only in the original.
    if (zoom > 0 && canShow) setSource((now) => (now === 'made' ? 'original' : now));
  }, [zoom, canShow]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '+' || event.key === '=') setZoom((now) => Math.min(now + 1, ZOOMS.length - 1));
      if (event.key === '-') setZoom((now) => Math.max(now - 1, 0));
      if (event.key === '0') setZoom(0);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  const url =
    source === 'made'
      ? thumbnailUrl(file.entryId, file.versionId, 1024)
      : contentUrl(file.entryId, { inline: true, ...(file.versionId && { versionId: file.versionId }) });
  const again = useLoadAgain(url);
  if (source === 'broken') return <NoPreview file={file} reason="broken" />;
  const image = (
    <img
      key={again.key}
      src={url}
      alt={file.name}
      draggable={false}
      decoding="async"
      onError={() => again.onError(() => setSource(source === 'made' && canShow ? 'original' : 'broken'))}
      className={classNames('rounded object-contain', zoom === 0 ? 'max-h-full max-w-full' : 'h-full w-full')}
    />
  );
  return (
    <div className="relative flex h-full min-h-0 flex-col">
      <div ref={frame} className="min-h-0 flex-1 overflow-auto">
        <button
          type="button"
          aria-label={t('imageLabel', { name: file.name })}
          onClick={() => setZoom(zoom === 0 ? 2 : 0)}
          style={{ width: `${factor * 100}%`, height: `${factor * 100}%` }}
          className={classNames(
            'flex items-center justify-center p-2',
            zoom === 0 ? 'cursor-zoom-in' : 'cursor-zoom-out',
          )}
        >
          {image}
        </button>
      </div>
      <div className="-translate-x-1/2 absolute bottom-3 left-1/2 flex rounded-xl border border-line bg-raised p-1 shadow-raised">
        <IconButton
          icon={ZoomOut}
          small
          label={t('zoomOut')}
          disabled={zoom === 0}
          onClick={() => setZoom(zoom - 1)}
        />
        <IconButton icon={Maximize} small label={t('fit')} disabled={zoom === 0} onClick={() => setZoom(0)} />
        <IconButton
          icon={ZoomIn}
          small
          label={t('zoomIn')}
          disabled={zoom === ZOOMS.length - 1}
          onClick={() => setZoom(zoom + 1)}
        />
      </div>
    </div>
  );
}
