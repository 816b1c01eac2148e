import { LogOut } from 'lucide-react';
import { useState, useSyncExternalStore } from 'react';
import { sayLogOutError } from '../../api/errors.ts';
import { logOut } from '../../api/session.ts';
import { useAccount } from '../../api/use-session.ts';
import { chooseTheme, type Theme, themeStore } from '../../state/theme.ts';
import { Button } from '../../ui/button.tsx';
import { Select } from '../../ui/field.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { Devices } from './devices.tsx';
import { PasswordForm } from './password-form.tsx';
import { t } from './strings.ts';

const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: 'system', label: t('themeSystem') },
  { value: 'light', label: t('themeLight') },
  { value: 'dark', label: t('themeDark') },
];

/** Profile, appearance, password, devices. */
export function SettingsPage() {
  return (
    <Page title={t('title')}>
      <div className="flex flex-col gap-4">
        <Profile />
        <Devices />
        <Card title={t('password')}>
          <PasswordForm />
        </Card>
        <Appearance />
      </div>
    </Page>
  );
}

function Profile() {
  const { me, isAdministrator } = useAccount();
  const [busy, setBusy] = useState(false);
  return (
    <Card title={t('profile')}>
      <div className="flex flex-wrap items-end gap-4 px-4 pt-1 pb-4">
        <dl className="grid min-w-0 flex-1 basis-60 grid-cols-[auto_1fr] gap-x-6 gap-y-1 [&>dd]:min-w-0 [&>dd]:break-words [&>dt]:text-quiet">
          <dt>{t('username')}</dt>
          <dd>{me.user.username}</dd>
          <dt>{t('role')}</dt>
          <dd>{isAdministrator ? t('administrator') : t('member')}</dd>
          <dt>{t('thisDevice')}</dt>
          <dd>{me.device.name}</dd>
          <dt>{t('server')}</dt>
          <dd>{t('serverVersion', { version: me.server.version })}</dd>
        </dl>
        <Button
          icon={LogOut}
          busy={busy}
          title={t('logOutHint')}
          onClick={() => {
            setBusy(true);
            logOut()
              .catch((error: unknown) => showToast(sayLogOutError(error), { tone: 'danger' }))
              .finally(() => setBusy(false));
          }}
        >
          {t('logOut')}
        </Button>
      </div>
    </Card>
  );
}

function Appearance() {
  const theme = useSyncExternalStore(themeStore.subscribe, themeStore.read);
  return (
    <Card title={t('appearance')}>
      <Select
        label={t('theme')}
        value={theme}
        options={THEMES}
        onChange={chooseTheme}
        className="max-w-60 px-4 pt-1 pb-4"
      />
    </Card>
  );
}
