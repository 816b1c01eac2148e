import { useState } from 'react';
import { useLoadAgain } from '../../api/use-load-again.ts';
import { contentUrl } from '../../transfers/download.ts';
import { FileIcon } from '../../ui/file-icon.tsx';
import { NoPreview } from './no-preview.tsx';
import type { PreviewedFile } from './previewed-file.ts';

/** Video and sound. The browser fetches what it plays by ranges, so seeking needs not what is before. */
export function MediaPreview({
  file,
  kind,
}: {
  readonly file: PreviewedFile;
  readonly kind: 'video' | 'audio';
}) {
  const [isBroken, setIsBroken] = useState(false);
  const { versionId } = file;
  const source = contentUrl(file.entryId, {
    inline: true,
    ...(versionId === undefined ? {} : { versionId }),
  });
  const again = useLoadAgain(source);
  if (isBroken) return <NoPreview file={file} reason="broken" />;
  const onError = () => again.onError(() => setIsBroken(true));
  if (kind === 'video') {
    return (
      // biome-ignore lint/a11y/useMediaCaption: what people keep has rarely captions, and none that we know of
      <video
        key={again.key}
        src={source}
        controls
        playsInline
        preload="metadata"
        aria-label={file.name}
        onError={onError}
        className="mx-auto h-full max-h-full max-w-full bg-black"
      />
    );
  }
  return (
    <div className="flex h-full flex-col items-center justify-center gap-6 px-6">
      <FileIcon entry={{ kind: 'file', name: file.name }} className="size-20" />
      {/* biome-ignore lint/a11y/useMediaCaption: as above */}
      <audio
        key={again.key}
        src={source}
        controls
        preload="metadata"
        aria-label={file.name}
        onError={onError}
        className="w-full max-w-lg"
      />
    </div>
  );
}
