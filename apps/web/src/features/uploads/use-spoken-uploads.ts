import { useEffect, useRef, useState } from 'react';
import type { UploadsView } from '../../transfers/queue.ts';
import { countActive } from './describe-uploads.ts';
import { t } from './strings.ts';

/** What screen readers hear of the uploads: beginnings, ends and problems, not every percent. */
export function useSpokenUploads({ summary, engine }: UploadsView): string {
  const [spoken, setSpoken] = useState('');
  const before = useRef({ active: 0, asking: 0, state: engine.state });
  const { counts } = summary;
  const active = countActive(summary);
  useEffect(() => {
    const last = before.current;
    before.current = { active, asking: counts.asking, state: engine.state };
    if (active > 0 && last.active === 0) setSpoken(t('uploading', { count: active }));
    else if (counts.asking > 0 && last.asking === 0) setSpoken(t('saidAsking'));
    else if (engine.state === 'unreachable' && last.state !== 'unreachable') setSpoken(t('saidUnreachable'));
    else if (active === 0 && last.active > 0) {
      setSpoken(
        counts.failed > 0 ? t('saidFailed', { count: counts.failed }) : t('saidDone', { count: counts.done }),
      );
    }
  }, [active, counts.asking, counts.failed, counts.done, engine.state]);
  return spoken;
}
