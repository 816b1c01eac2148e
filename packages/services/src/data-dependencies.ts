import type { BlockStore } from '@cairn/block-store';
import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { EventBus } from '@cairn/event-bus';
import type { MetadataStore } from '@cairn/metadata-store';
import type { ThumbnailRenderer } from './previews/previews-service.ts';

/** What the use cases that deal with spaces and files stand on; the composition root chooses the adapters. */
export interface DataDependencies {
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  readonly bus: EventBus;
  readonly platform: ContentPlatform;
  readonly environment: Environment;
  /** Without one, there are no previews of pictures. */
  readonly thumbnails?: ThumbnailRenderer;
}
