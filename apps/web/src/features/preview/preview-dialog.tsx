import type { FileObject } from '@cairn/protocol';

export interface PreviewDialogProps {
  readonly entry: FileObject;
  readonly siblings: readonly FileObject[];
  readonly onClose: () => void;
}

export function PreviewDialog(_props: PreviewDialogProps) {
  return null;
}
