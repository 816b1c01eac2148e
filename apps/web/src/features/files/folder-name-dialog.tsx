import type { FileObject } from '@cairn/protocol';
import { type FormEvent, useState } from 'react';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { nameProblem } from './name-editor.tsx';
import { t } from './strings.ts';

export interface FolderNameDialogProps {
  /** Resolves to the folder, or to what is wrong. */
  readonly onCreate: (name: string) => Promise<FileObject | string>;
  readonly onCreated: (folder: FileObject) => void;
  readonly onClose: () => void;
}

/** Asks how a new folder is to be called. */
export function FolderNameDialog({ onCreate, onCreated, onClose }: FolderNameDialogProps) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const wanted = name.trim();
    const wrong = nameProblem(wanted);
    setProblem(wrong);
    if (wrong !== null || busy) return;
    setBusy(true);
    const created = await onCreate(wanted);
    setBusy(false);
    if (typeof created === 'string') setProblem(created);
    else onCreated(created);
  }

  return (
    <Dialog
      title={t('newFolder')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common('common.cancel')}</Button>
          <Button look="primary" type="submit" form="new-folder" busy={busy}>
            {t('create')}
          </Button>
        </>
      }
    >
      <form id="new-folder" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          label={t('newFolderName')}
          hideLabel
          placeholder={t('newFolderName')}
          value={name}
          error={problem}
          autoFocus
          autoComplete="off"
          onChange={(event) => {
            setName(event.target.value);
            setProblem(null);
          }}
        />
      </form>
    </Dialog>
  );
}
