import { Dialog } from '../../ui/dialog.tsx';
import { t } from './strings.ts';
import { VersionsPanel, type VersionsPanelProps } from './versions-panel.tsx';

/** The history of a file in a dialog of its own. */
export function VersionsDialog({ onClose, ...panel }: VersionsPanelProps & { readonly onClose: () => void }) {
  return (
    <Dialog title={t('titleOf', { name: panel.name })} size="medium" onClose={onClose}>
      <VersionsPanel {...panel} />
    </Dialog>
  );
}
