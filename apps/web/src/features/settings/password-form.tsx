import { isCairnError } from '@cairn/model';
import { PROTOCOL_LIMITS } from '@cairn/protocol';
import { type FormEvent, useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { queryClient } from '../../api/query-client.ts';
import { tell } from '../../api/request.ts';
import { useAccount } from '../../api/use-session.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/field.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { PasswordField } from '../sign-in/password-field.tsx';
import { t } from './strings.ts';

const MIN_PASSWORD = PROTOCOL_LIMITS.minPasswordCharacters;

type Field = 'current' | 'next' | 'again';

/** Changes the password; the other devices stay signed in unless it is wished otherwise. */
export function PasswordForm() {
  const { me } = useAccount();
  const [wrong, setWrong] = useState<Readonly<Partial<Record<Field, string>>>>({});
  const [signOutOthers, setSignOutOthers] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    const read = (name: Field) => String(values.get(name) ?? '');
    const mistakes: Partial<Record<Field, string>> = {
      ...(read('current') === '' ? { current: t('passwordMissing') } : {}),
      ...([...read('next')].length < MIN_PASSWORD
        ? { next: t('passwordShort', { count: MIN_PASSWORD }) }
        : {}),
      ...(read('next') === read('again') ? {} : { again: t('passwordDiffers') }),
    };
    setWrong(mistakes);
    const [first] = Object.keys(mistakes);
    if (first !== undefined) {
      (form.elements.namedItem(first) as HTMLElement | null)?.focus();
      return;
    }
    setBusy(true);
    try {
      await tell('/auth/password', {
        json: {
          currentPassword: read('current'),
          newPassword: read('next'),
          ...(signOutOthers ? { signOutOthers: true } : {}),
        },
      });
      form.reset();
      setSignOutOthers(false);
      showToast(signOutOthers ? t('passwordChangedOthers') : t('passwordChanged'), { tone: 'good' });
      void queryClient.invalidateQueries({ queryKey: ['devices'] });
    } catch (error) {
      if (isCairnError(error, 'wrong-credentials')) setWrong({ current: t('passwordWrong') });
      else showToast(sayError(error), { tone: 'danger' });
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      className="flex max-w-sm flex-col gap-3 px-4 pt-1 pb-4"
    >
      {/* For the browser's keeper of passwords. */}
      <input hidden readOnly autoComplete="username" value={me.user.username} aria-label={t('username')} />
      <PasswordField
        label={t('currentPassword')}
        name="current"
        autoComplete="current-password"
        error={wrong.current}
      />
      <PasswordField label={t('newPassword')} name="next" autoComplete="new-password" error={wrong.next} />
      <PasswordField
        label={t('repeatPassword')}
        name="again"
        autoComplete="new-password"
        error={wrong.again}
      />
      <Checkbox label={t('signOutOthers')} checked={signOutOthers} onChange={setSignOutOthers} />
      <Button type="submit" busy={busy} className="self-start">
        {t('changePassword')}
      </Button>
    </form>
  );
}
