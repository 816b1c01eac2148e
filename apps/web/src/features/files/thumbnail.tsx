import type { FileObject } from '@cairn/protocol';
import { useState } from 'react';
import { apiPath, apiUrl } from '../../api/request.ts';
import { useLoadAgain } from '../../api/use-load-again.ts';
import { FileIcon } from '../../ui/file-icon.tsx';
import { hasThumbnail } from '../../ui/file-kind.ts';

export interface ThumbnailProps {
  readonly entry: FileObject;
  readonly imageClassName: string;
  readonly iconClassName: string;
}

/** A small picture of an entry where there is one, otherwise its icon. */
export function Thumbnail({ entry, imageClassName, iconClassName }: ThumbnailProps) {
  const [failedVersion, setFailedVersion] = useState<string | null>(null);
  const version = entry.versionId ?? null;
  const url = apiUrl(apiPath`/files/${entry.entryId}/thumbnail?versionId=${version ?? ''}&size=256`);
  const again = useLoadAgain(url);
  if (version === null || failedVersion === version || !hasThumbnail(entry)) {
    return <FileIcon entry={entry} className={iconClassName} />;
  }
  return (
    <img
      key={again.key}
      src={url}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => again.onError(() => setFailedVersion(version))}
      className={imageClassName}
    />
  );
}
