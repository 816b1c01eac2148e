import type { Principal } from '../authorisation/principal.ts';

/** What the person's own space holds: full lengths as people see them, and what is stored for them. */
export interface AccountUsage {
  readonly liveBytes: number;
  readonly versionsBytes: number;
  readonly trashBytes: number;
  readonly storedBytes: number;
  readonly savedByDedupBytes: number;
  readonly savedByCompressionBytes: number;
  readonly files: number;
  readonly folders: number;
  readonly quotaBytes: number | null;
}

export interface UsageService {
  /** Walks all of the space. */
  ofAccount(principal: Principal): Promise<AccountUsage>;
}
