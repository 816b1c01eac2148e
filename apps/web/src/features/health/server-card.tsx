import { CircleAlert, CircleCheck, CircleX, LoaderCircle } from 'lucide-react';
import { Card } from '../../ui/page.tsx';
import { Dot } from './dot.tsx';
import { useHealth, useServer } from './health-data.ts';
import { t } from './strings.ts';

const PARTS: Readonly<Record<string, string>> = { metadata: t('part.database'), blocks: t('part.blocks') };

/** Whether the server and what it stands on work. */
export function ServerCard() {
  const health = useHealth();
  const server = useServer();
  const state = health.data === undefined ? 'loading' : (health.data?.status ?? 'unreachable');
  const isGood = state === 'ok';
  const Icon =
    state === 'loading'
      ? LoaderCircle
      : isGood
        ? CircleCheck
        : state === 'unreachable'
          ? CircleX
          : CircleAlert;
  return (
    <Card className="px-4 py-3.5">
      <div className="flex items-center gap-3">
        <Icon
          aria-hidden
          className={`size-8 shrink-0 ${state === 'loading' ? 'animate-spin text-quiet' : isGood ? 'text-good' : 'text-danger'}`}
          strokeWidth={1.6}
        />
        <div className="min-w-0 flex-1">
          <h2 className="sr-only">{t('server')}</h2>
          <p aria-live="polite" className="font-semibold text-lg">
            {state === 'loading' ? '…' : t(`server.${state}`)}
          </p>
          {server.data !== undefined && (
            <p className="text-quiet text-sm">{t('server.version', { version: server.data.version })}</p>
          )}
        </div>
        <ul className="flex flex-col gap-1 text-sm sm:flex-row sm:gap-4">
          {Object.entries(health.data?.dependencies ?? {}).map(([name, { status }]) => (
            <li key={name} className="flex items-center gap-2">
              <Dot light={status === 'ok' ? 'good' : 'danger'} />
              {PARTS[name] ?? name} {t(`part.${status}`)}
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}
