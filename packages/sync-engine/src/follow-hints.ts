import type { Log } from '@cairn/environment';
import type { WatchHint } from '@cairn/filesystem';
import type { Attention } from './attention.ts';
import type { ActivityNotes } from './note-activities.ts';
import type { ScanSchedule } from './scan-schedule.ts';

interface HintDeps {
  readonly attention: Attention;
  readonly schedule: ScanSchedule;
  readonly notes: ActivityNotes;
  readonly log: Log;
  onChange(): void;
}

/** Turns what the watcher says into what has to be looked at, and when. */
export function followHints({
  attention,
  schedule,
  notes,
  log,
  onChange,
}: HintDeps): (hint: WatchHint) => void {
  return (hint) => {
    switch (hint.kind) {
      case 'folder':
        attention.folder(hint.path);
        break;
      case 'everything':
        log.info('engine.full-scan', { reason: hint.reason });
        attention.everything();
        break;
      case 'lost':
        log.warn('engine.events-lost', { reason: hint.reason });
        notes.done('events-lost', '', hint.reason);
        attention.sweep();
        schedule.lost();
        break;
      case 'watching':
        if (hint.reason !== null) notes.done('polling', '', hint.reason);
        schedule.watching(hint.works ? null : (hint.reason ?? 'changes are not reported'));
        onChange();
    }
    attention.wake.ring();
  };
}
