import { isCairnError } from '@cairn/model';
import { PROTOCOL_LIMITS, type ServerResponse, serverResponseSchema } from '@cairn/protocol';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { ask } from '../../api/request.ts';
import { logIn, register, type SignedOutReason } from '../../api/session.ts';
import { Logo } from '../../app/logo.tsx';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { ErrorState, Skeleton } from '../../ui/states.tsx';
import { PasswordField } from './password-field.tsx';
import { t } from './strings.ts';

const MIN_PASSWORD = PROTOCOL_LIMITS.minPasswordCharacters;

/** Log in, the first account, further accounts: whatever this server wants of somebody who is not signed in. */
export function SignInPage({ reason }: { readonly reason: SignedOutReason }) {
  const server = useQuery({
    queryKey: ['server'],
    queryFn: ({ signal }) => ask('/server', serverResponseSchema, { anonymous: true, signal }),
  });
  return (
    <main className="flex h-full flex-col items-center overflow-y-auto bg-sunken px-4">
      <div className="my-auto w-full max-w-sm py-10">
        <div className="mb-6 flex flex-col items-center gap-1 text-center">
          <Logo className="size-14" />
          <p className="font-semibold text-2xl tracking-tight">{common('app.name')}</p>
          <p className="text-quiet">{t('tagline')}</p>
        </div>
        {reason !== 'new' && (
          <p
            role="status"
            className={`mb-4 rounded-xl px-4 py-3 text-sm ${reason === 'ended' ? 'bg-warn-soft text-warn' : 'bg-good-soft text-good'}`}
          >
            {reason === 'ended' ? t('ended') : t('loggedOut')}
          </p>
        )}
        <div className="rounded-2xl border border-line bg-surface p-6 shadow-sm">
          {server.data !== undefined ? (
            <SignInForm server={server.data} />
          ) : server.isError ? (
            <ErrorState error={server.error} onRetry={() => void server.refetch()} />
          ) : (
            <div role="status" aria-label={common('common.loading')} className="flex flex-col gap-4">
              <Skeleton className="h-6 w-1/2" />
              <Skeleton className="h-10" />
              <Skeleton className="h-10" />
            </div>
          )}
        </div>
      </div>
    </main>
  );
}

type Field = 'username' | 'password' | 'setUpCode';

function SignInForm({ server }: { readonly server: ServerResponse }) {
  const isFirst = server.setUpNeeded;
  // With sign-up by invitation only the first account can be made here, with the code that the server printed.
  const mayRegister = isFirst || server.signUp === 'open';
  const needsCode = isFirst && server.signUp !== 'open';
  const [mode, setMode] = useState<'log-in' | 'register'>(isFirst ? 'register' : 'log-in');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [wrong, setWrong] = useState<Readonly<Partial<Record<Field, string>>>>({});
  const registering = mode === 'register';

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const values = new FormData(form);
    const username = String(values.get('username') ?? '').trim();
    const password = String(values.get('password') ?? '');
    const setUpCode = String(values.get('setUpCode') ?? '').trim();
    const mistakes: Partial<Record<Field, string>> = {
      ...(username === '' ? { username: t('usernameMissing') } : {}),
      ...(password === ''
        ? { password: t('passwordMissing') }
        : registering && [...password].length < MIN_PASSWORD
          ? { password: t('passwordShort', { count: MIN_PASSWORD }) }
          : {}),
      ...(registering && needsCode && setUpCode === '' ? { setUpCode: t('setUpCodeMissing') } : {}),
    };
    setWrong(mistakes);
    setProblem(null);
    const [firstMistake] = Object.keys(mistakes);
    if (firstMistake !== undefined) {
      (form.elements.namedItem(firstMistake) as HTMLElement | null)?.focus();
      return;
    }
    setBusy(true);
    try {
      if (registering) await register({ username, password, ...(needsCode ? { setUpCode } : {}) });
      else await logIn({ username, password });
    } catch (error) {
      if (isCairnError(error, 'name-taken', 'bad-name')) setWrong({ username: sayError(error) });
      else if (isCairnError(error, 'set-up-code-wrong')) setWrong({ setUpCode: sayError(error) });
      else setProblem(sayError(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <div>
        <h1 className="font-semibold text-lg">
          {isFirst && registering ? t('firstTitle') : registering ? t('registerTitle') : t('logInTitle')}
        </h1>
        {isFirst && registering && <p className="mt-1 text-quiet text-sm">{t('firstText')}</p>}
      </div>
      {problem !== null && (
        <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
          {problem}
        </p>
      )}
      {registering && needsCode && (
        <TextField
          label={t('setUpCode')}
          name="setUpCode"
          hint={t('setUpCodeHint')}
          error={wrong.setUpCode}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
        />
      )}
      <TextField
        label={t('username')}
        name="username"
        error={wrong.username}
        autoComplete="username"
        autoCapitalize="none"
        autoFocus
        spellCheck={false}
        maxLength={PROTOCOL_LIMITS.maxUsernameCharacters}
      />
      <PasswordField
        label={t('password')}
        name="password"
        error={wrong.password}
        {...(registering ? { hint: t('passwordHint', { count: MIN_PASSWORD }) } : {})}
        autoComplete={registering ? 'new-password' : 'current-password'}
      />
      <Button type="submit" look="primary" busy={busy} className="h-11 w-full">
        {registering ? t('registerAction') : t('logInAction')}
      </Button>
      {mayRegister && !isFirst ? (
        <button
          type="button"
          className="text-accent-text text-sm underline-offset-2 hover:underline"
          onClick={() => {
            setMode(registering ? 'log-in' : 'register');
            setWrong({});
            setProblem(null);
          }}
        >
          {registering ? t('toLogIn') : t('toRegister')}
        </button>
      ) : (
        !isFirst && <p className="text-center text-quiet text-sm">{t('closed')}</p>
      )}
    </form>
  );
}
