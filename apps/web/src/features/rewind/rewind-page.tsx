import { Page } from '../../ui/page.tsx';

export function RewindPage() {
  return <Page title="Rewind">…</Page>;
}
