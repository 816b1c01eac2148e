import type { FilesClient, SpaceClient } from '@cairn/client';
import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { FromWorker } from '../upload-types.ts';

export interface UploadEngineOptions {
  readonly space: Pick<SpaceClient, 'createUpload' | 'commit'>;
  readonly files: Pick<FilesClient, 'list' | 'getContent'>;
  readonly environment: Environment;
  readonly platform: ContentPlatform;
  /** How this browser is called, for conflict copies. */
  readonly deviceName: string;
  report(report: FromWorker): void;
}
